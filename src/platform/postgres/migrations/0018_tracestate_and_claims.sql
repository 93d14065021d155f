-- What goes with traceparent (W3C Trace Context).
ALTER TABLE event ADD COLUMN tracestate text COLLATE "C";
-- The process that holds a claim, by the session lock that it keeps while it lives; NULL: unknown, as of claims of before.
ALTER TABLE idempotency ADD COLUMN claimed_by integer;
