-- The log. A topic is one log; positions are 1, 2, 3 … without holes, allocated under the row lock of topic_head.
-- The head row is locked, never updated by an append: an updated counter leaves dead versions that vacuum may not remove while
-- any snapshot is open. Times are milliseconds since the epoch (bigint): they are compared and clamped by the application,
-- which sends and reads them as plain numbers.
CREATE TABLE topic_head (
  tenant_id text COLLATE "C" NOT NULL,
  topic_uid uuid NOT NULL,
  first_position bigint NOT NULL DEFAULT 1,
  base_position bigint NOT NULL DEFAULT 0,
  base_log_bytes bigint NOT NULL DEFAULT 0,
  base_recorded_at bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, topic_uid)
);

-- data and metadata are kept as the text that was sent. log_bytes is the running total of the topic up to and with this event, so
-- that the size of any range is a subtraction.
CREATE TABLE event (
  tenant_id text COLLATE "C" NOT NULL,
  topic_uid uuid NOT NULL,
  position bigint NOT NULL,
  log_bytes bigint NOT NULL,
  recorded_at bigint NOT NULL,
  occurred_at bigint,
  stream_version bigint,
  schema_version integer,
  event_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  key text COLLATE "C",
  stream text COLLATE "C",
  correlation_id text COLLATE "C",
  causation_id text COLLATE "C",
  traceparent text COLLATE "C",
  published_by text COLLATE "C" NOT NULL,
  metadata text COLLATE "C",
  data text COLLATE "C" NOT NULL,
  CONSTRAINT event_position_key PRIMARY KEY (tenant_id, topic_uid, position)
);

CREATE UNIQUE INDEX event_id_key ON event (tenant_id, topic_uid, event_id);
CREATE UNIQUE INDEX event_stream_key ON event (tenant_id, topic_uid, stream, stream_version) WHERE stream IS NOT NULL;
