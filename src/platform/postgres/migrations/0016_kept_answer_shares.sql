-- Whose share of the kept answers a row takes, and how much of it. Rows of before count for nobody; they are gone within a day.
ALTER TABLE idempotency ADD COLUMN holder text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE idempotency ADD COLUMN bytes integer NOT NULL DEFAULT 0;
CREATE INDEX idempotency_holder ON idempotency (holder) INCLUDE (bytes);
