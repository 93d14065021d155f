-- Read models of the event-sourced aggregates, written in the transaction that appends their events: never stale, never rebuilt.
CREATE TABLE tenant (
  tenant_id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  state text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

CREATE TABLE namespace (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, namespace_id)
);

CREATE TABLE topic (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  topic_id text COLLATE "C" NOT NULL,
  topic_uid uuid NOT NULL,
  description text,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, namespace_id, topic_id)
);
CREATE UNIQUE INDEX topic_uid_key ON topic (tenant_id, topic_uid);

-- Topics that were deleted and whose events are still to be removed, in slices, outside the deleting transaction.
CREATE TABLE topic_removal (
  tenant_id text COLLATE "C" NOT NULL,
  topic_uid uuid NOT NULL,
  requested_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, topic_uid)
);

CREATE TABLE consumer (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  consumer_id text COLLATE "C" NOT NULL,
  consumer_uid uuid NOT NULL,
  state text NOT NULL,
  settings text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, namespace_id, consumer_id)
);
CREATE UNIQUE INDEX consumer_uid_key ON consumer (tenant_id, consumer_uid);

-- Signing secrets and header values, encrypted with the master key; outside the log, so that they can be erased.
CREATE TABLE consumer_secret (
  tenant_id text COLLATE "C" NOT NULL,
  consumer_uid uuid NOT NULL,
  signing text NOT NULL,
  headers text NOT NULL,
  PRIMARY KEY (tenant_id, consumer_uid)
);

-- One lane per consumer and topic: its cursor, its owner, and the trouble with the event after the cursor, if any.
-- Checkpoints update rows in place (HOT), hence the room in each page.
CREATE TABLE lane (
  tenant_id text COLLATE "C" NOT NULL,
  consumer_uid uuid NOT NULL,
  topic_uid uuid NOT NULL,
  position bigint NOT NULL,
  last_event_id text COLLATE "C",
  epoch bigint NOT NULL DEFAULT 0,
  owner uuid,
  attempt integer NOT NULL DEFAULT 0,
  first_failed_at bigint,
  next_attempt_at bigint,
  blocked boolean NOT NULL DEFAULT false,
  failed_version bigint,
  last_error text,
  gap text,
  PRIMARY KEY (tenant_id, consumer_uid, topic_uid)
) WITH (fillfactor = 50);
CREATE INDEX lane_topic ON lane (tenant_id, topic_uid);

-- Instances that deliver. An observer judges liveness by seeing the beat change, on its own clock: no clock is compared with another.
CREATE TABLE delivery_worker (
  worker_id uuid PRIMARY KEY,
  beat bigint NOT NULL
);

INSERT INTO tenant VALUES ('$system', 'System', 'active', 0, 0, 0);
INSERT INTO namespace VALUES ('$system', '$management', 'Management', 0, 0, 0);
INSERT INTO topic VALUES
  ('$system', '$management', 'tenants', '00000000-0000-7000-8000-000000000001', 'Life cycle of tenants', 0, 0, 0),
  ('$system', '$management', 'namespaces', '00000000-0000-7000-8000-000000000002', 'Life cycle of namespaces', 0, 0, 0),
  ('$system', '$management', 'topics', '00000000-0000-7000-8000-000000000003', 'Life cycle of topics', 0, 0, 0),
  ('$system', '$management', 'consumers', '00000000-0000-7000-8000-000000000004', 'Life cycle of consumers', 0, 0, 0);
INSERT INTO topic_head (tenant_id, topic_uid) VALUES
  ('$system', '00000000-0000-7000-8000-000000000001'),
  ('$system', '00000000-0000-7000-8000-000000000002'),
  ('$system', '00000000-0000-7000-8000-000000000003'),
  ('$system', '00000000-0000-7000-8000-000000000004');

-- How far the reactions to management events have come.
CREATE TABLE subscription_checkpoint (
  subscription text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
);
