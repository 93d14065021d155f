-- Ids and codes compare byte by byte (COLLATE "C"): the order of pages must not depend on the locale of a server. Times are milliseconds since
-- the epoch (bigint): they are compared and clamped by the application, which sends and reads them as plain numbers. No table refers to
-- another and none has a sequence: the rows of a tenant can lie anywhere.

-- The log. A topic is one log; positions are 1, 2, 3 … without holes, allocated under the row lock of topic_head.
-- The head row is locked, never updated by an append: an updated counter leaves dead versions that vacuum may not remove while
-- any snapshot is open. base_* is where the log begins when its events are gone.
CREATE TABLE topic_head (
  tenant_id text COLLATE "C" NOT NULL,
  topic_uid uuid NOT NULL,
  base_position bigint NOT NULL DEFAULT 0,
  base_log_bytes bigint NOT NULL DEFAULT 0,
  base_recorded_at bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, topic_uid)
);

-- data and metadata are kept as the text that was sent. log_bytes is the running total of the topic up to and with this event, so
-- that the size of any range is a subtraction. traceparent and tracestate are those of W3C Trace Context.
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
  tracestate text COLLATE "C",
  published_by text COLLATE "C" NOT NULL,
  metadata text COLLATE "C",
  data text COLLATE "C" NOT NULL,
  -- Refuses a position that another instance took first.
  CONSTRAINT event_position_key PRIMARY KEY (tenant_id, topic_uid, position)
);
-- An event that is published again is answered with the first one; two writers of a stream cannot both be next.
CREATE UNIQUE INDEX event_id_key ON event (tenant_id, topic_uid, event_id);
CREATE UNIQUE INDEX event_stream_key ON event (tenant_id, topic_uid, stream, stream_version) WHERE stream IS NOT NULL;

-- How far the sagas have come with what must happen.
CREATE TABLE subscription_checkpoint (
  subscription text COLLATE "C" PRIMARY KEY,
  position bigint NOT NULL
);

-- From here on: read models of the event-sourced aggregates, written in the transaction that appends their events, never stale and never
-- rebuilt; and what is kept beside the log because it is secret, personal or worth nothing later.

-- An id may have many lives; the uid tells them apart, since times cannot: each log has its own clock. So for namespaces.
-- limits and defaults: JSON; null if never set, as for $system. deletion_id: the job that removes the tenant.
CREATE TABLE tenant (
  tenant_id text COLLATE "C" PRIMARY KEY,
  tenant_uid uuid NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  reason text,
  limits text,
  defaults text,
  deletion_id text COLLATE "C",
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

-- Background work of all kinds. total and done are in units of the kind, resume_at in a format of it; beat rises while owner works at the
-- job. A row outlives its job, and its tenant, by 30 days.
CREATE TABLE job (
  tenant_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  payload text NOT NULL,
  state text NOT NULL,
  total bigint NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  resume_at text,
  beat bigint NOT NULL DEFAULT 0,
  owner bigint,
  cancel_requested boolean NOT NULL DEFAULT false,
  error text,
  created_at bigint NOT NULL,
  finished_at bigint,
  PRIMARY KEY (tenant_id, job_id)
);
-- Found by kind and id when the tenant is no longer known.
CREATE INDEX job_kind ON job (kind, job_id);
CREATE INDEX job_open ON job (job_id) WHERE finished_at IS NULL;

-- How much of what is limited a tenant holds, moved in the transactions that make and delete it: to count it took longer the more there was.
-- No row: none, as of $system, where nothing is made. Rows outlive their tenant for as long as something of it is still to be removed.
CREATE TABLE tenant_usage (
  tenant_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  held bigint NOT NULL,
  PRIMARY KEY (tenant_id, kind)
);

CREATE TABLE namespace (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  namespace_uid uuid NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, namespace_id)
);

CREATE TABLE topic (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  namespace_uid uuid NOT NULL,
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

-- runs_on: the user whose right it runs on; it pauses where that is gone. settings: the whole consumer, as JSON.
CREATE TABLE consumer (
  tenant_id text COLLATE "C" NOT NULL,
  namespace_id text COLLATE "C" NOT NULL,
  namespace_uid uuid NOT NULL,
  consumer_id text COLLATE "C" NOT NULL,
  consumer_uid uuid NOT NULL,
  state text NOT NULL,
  runs_on text COLLATE "C" NOT NULL,
  settings text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, namespace_id, consumer_id)
);
CREATE UNIQUE INDEX consumer_uid_key ON consumer (tenant_id, consumer_uid);
-- Consumers whose right has ended are found in all tenants, in pages.
CREATE INDEX consumer_runs_on ON consumer (runs_on, tenant_id, consumer_uid);

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

-- Instances that deliver. An observer concludes liveness from a changing beat, on its own clock: no clock is compared with another.
CREATE TABLE delivery_worker (
  worker_id uuid PRIMARY KEY,
  beat bigint NOT NULL
);

-- Write access to the database must not be enough to make a credential: a row of the next four tables counts only with a signature, under a key
-- that is derived from SECRET_KEY, over the owner and all that the row gives ('' gives nothing). After a change of SECRET_KEY the start looks
-- for rows that were signed with the old one, by the name of the key, with which a signature begins: hence the indexes *_signed_with.

-- E-mail, name and hash are here and nowhere else: events name a user by id, so that deleting the row erases the person.
CREATE TABLE user_account (
  user_id text COLLATE "C" PRIMARY KEY,
  kind text NOT NULL,
  email text COLLATE "C",
  name text NOT NULL,
  state text NOT NULL,
  reason text,
  password_hash text,
  password_signature text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX user_account_email ON user_account (email);
CREATE INDEX user_account_signed_with ON user_account (left(password_signature, 8), user_id) WHERE password_hash IS NOT NULL;

-- Refresh tokens are derived from the seed and the number of the rotation, under the master key: none can be read here.
-- rotated_at null: nobody may repeat the last refresh, because the pair that it gave has been used.
CREATE TABLE session (
  session_id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  seed text COLLATE "C" NOT NULL,
  rotation integer NOT NULL DEFAULT 0,
  rotated_at bigint,
  address text NOT NULL,
  user_agent text,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  last_used_at bigint NOT NULL,
  signature text COLLATE "C" NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);
CREATE INDEX session_signed_with ON session (left(signature, 8), session_id);

-- Tokens for a new password or for the first one (an invitation); only their digests are kept. Several a user at once: one that a stranger
-- asks for does not make the owner's worthless. All go when one is used.
CREATE TABLE password_reset (
  user_id text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  signature text COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, digest)
);
CREATE UNIQUE INDEX password_reset_digest ON password_reset (digest);
CREATE INDEX password_reset_signed_with ON password_reset (left(signature, 8), digest);

-- What a key may do (null: no bound), how long it lives and how it is used. Only digests are kept; a secret that was rotated away works until
-- previous_ends_at. version 0: no event yet, as of the first administrator's key until its first change.
-- Use is written in place (HOT), hence the room in each page.
CREATE TABLE api_key (
  key_id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  digest text COLLATE "C" NOT NULL,
  previous_digest text COLLATE "C",
  previous_ends_at bigint,
  rotated_at bigint,
  scopes text,
  actions text,
  allowed_cidrs text,
  expires_at bigint,
  version bigint NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  use_count bigint NOT NULL DEFAULT 0,
  last_used_at bigint,
  last_used_from text,
  signature text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX api_key_of_user ON api_key (user_id, created_at, key_id);
CREATE INDEX api_key_signed_with ON api_key (left(signature, 8), key_id);

-- Who may do what: members with their roles, roles, groups, grants. The tenant `$system` holds what is system-wide.
CREATE TABLE member (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX member_of_user ON member (user_id, tenant_id);

CREATE TABLE member_role (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role_id text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, user_id, role_id, scope)
);
CREATE INDEX member_role_holders ON member_role (tenant_id, role_id);

CREATE TABLE role (
  tenant_id text COLLATE "C" NOT NULL,
  role_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  description text,
  actions text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, role_id)
);

CREATE TABLE user_group (
  tenant_id text COLLATE "C" NOT NULL,
  group_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, group_id)
);

-- part: user, role or group (nested).
CREATE TABLE group_part (
  tenant_id text COLLATE "C" NOT NULL,
  group_id text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, group_id, part, id)
);
CREATE INDEX group_part_holders ON group_part (tenant_id, part, id);

CREATE TABLE access_grant (
  tenant_id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  principal_kind text COLLATE "C" NOT NULL,
  principal_id text COLLATE "C" NOT NULL,
  effect text NOT NULL,
  actions text NOT NULL,
  resource text COLLATE "C" NOT NULL,
  constraints text,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, grant_id)
);
CREATE INDEX access_grant_principal ON access_grant (tenant_id, principal_kind, principal_id);

-- Who did what to which resource, from where, with what result. A record is written once; only `seq` and `hash` are added, when it is
-- sealed into the chain of its tenant. `mac` says that the product wrote it.
CREATE TABLE audit_record (
  tenant_id text COLLATE "C" NOT NULL,
  audit_id text COLLATE "C" NOT NULL,
  occurred_at bigint NOT NULL,
  action text COLLATE "C" NOT NULL,
  outcome text NOT NULL,
  reason text,
  actor_kind text NOT NULL,
  actor_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C",
  address text COLLATE "C",
  user_agent text,
  route text,
  resource text COLLATE "C" NOT NULL,
  correlation_id text COLLATE "C" NOT NULL,
  times integer NOT NULL,
  state_before text,
  state_after text,
  mac text NOT NULL,
  seq bigint,
  hash text,
  PRIMARY KEY (tenant_id, audit_id)
);
CREATE UNIQUE INDEX audit_record_seq ON audit_record (tenant_id, seq);
CREATE INDEX audit_record_unsealed ON audit_record (tenant_id, audit_id) WHERE seq IS NULL;
CREATE INDEX audit_record_actor ON audit_record (tenant_id, actor_id, audit_id);
CREATE INDEX audit_record_user ON audit_record (tenant_id, user_id, audit_id);
CREATE INDEX audit_record_resource ON audit_record (tenant_id, resource, audit_id);
CREATE INDEX audit_record_action ON audit_record (tenant_id, action, audit_id);
-- For the lists of all tenants together.
CREATE INDEX audit_record_all ON audit_record (audit_id);
CREATE INDEX audit_record_user_all ON audit_record (user_id, audit_id);

-- The chain of a tenant: records base_seq + 1 to sealed_seq are there, from base_hash to head_hash; retention has removed those before.
-- `signature` covers all of it, so that a chain that was computed again is detected.
CREATE TABLE audit_chain (
  tenant_id text COLLATE "C" PRIMARY KEY,
  base_seq bigint NOT NULL,
  base_hash text NOT NULL,
  sealed_seq bigint NOT NULL,
  head_hash text NOT NULL,
  sealed_at bigint NOT NULL,
  signature text NOT NULL
);

CREATE TABLE audit_retention (
  tenant_id text COLLATE "C" PRIMARY KEY,
  max_age_days integer NOT NULL,
  version bigint NOT NULL,
  updated_at bigint NOT NULL,
  signature text NOT NULL
);

-- The second place of what must not be put back alone: for each tenant and master key the signatures of the row of its chain and of its
-- retention ('': none yet). audit_heads_total holds the sum over all of them, encrypted, so that only the owner of the key can check or make it.
CREATE TABLE audit_head (
  tenant_id text COLLATE "C" NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  chain_signature text NOT NULL,
  retention_signature text NOT NULL,
  PRIMARY KEY (tenant_id, key_id)
);
CREATE TABLE audit_heads_total (
  key_id text COLLATE "C" PRIMARY KEY,
  total text NOT NULL
);

-- Answers of creating calls, kept for 24 hours under the caller's Idempotency-Key. holder: whose share of the kept answers the row takes, and
-- bytes how much of it. claimed_by: the process that holds a claim, by the session lock that it keeps while it lives.
CREATE TABLE idempotency (
  principal_id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  state text NOT NULL,
  status integer,
  headers text,
  body text,
  holder text COLLATE "C" NOT NULL,
  bytes integer NOT NULL,
  claimed_by integer NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (principal_id, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
CREATE INDEX idempotency_holder ON idempotency (holder) INCLUDE (bytes);

-- What every store has: the tenant of the system with the logs of management events, whose uids are in kernel/aggregate.ts.
INSERT INTO tenant (tenant_id, tenant_uid, name, state, version, created_at, updated_at)
VALUES ('$system', '00000000-0000-0000-0000-000000000000', 'System', 'active', 0, 0, 0);
INSERT INTO namespace (tenant_id, namespace_id, namespace_uid, name, version, created_at, updated_at)
VALUES ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'Management', 0, 0, 0);
INSERT INTO topic (tenant_id, namespace_id, namespace_uid, topic_id, topic_uid, description, version, created_at, updated_at) VALUES
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'tenants', '00000000-0000-7000-8000-000000000001', 'Life cycle of tenants', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'namespaces', '00000000-0000-7000-8000-000000000002', 'Life cycle of namespaces', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'topics', '00000000-0000-7000-8000-000000000003', 'Life cycle of topics', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'consumers', '00000000-0000-7000-8000-000000000004', 'Life cycle of consumers', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'users', '00000000-0000-7000-8000-000000000005', 'Life cycle of users', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'permissions', '00000000-0000-7000-8000-000000000006', 'Members, roles, groups and grants', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'api-keys', '00000000-0000-7000-8000-000000000007', 'Life cycle of API keys', 0, 0, 0),
  ('$system', '$management', '00000000-0000-0000-0000-000000000000', 'sessions', '00000000-0000-7000-8000-000000000008', 'Ends of sessions', 0, 0, 0);
INSERT INTO topic_head (tenant_id, topic_uid) VALUES
  ('$system', '00000000-0000-7000-8000-000000000001'),
  ('$system', '00000000-0000-7000-8000-000000000002'),
  ('$system', '00000000-0000-7000-8000-000000000003'),
  ('$system', '00000000-0000-7000-8000-000000000004'),
  ('$system', '00000000-0000-7000-8000-000000000005'),
  ('$system', '00000000-0000-7000-8000-000000000006'),
  ('$system', '00000000-0000-7000-8000-000000000007'),
  ('$system', '00000000-0000-7000-8000-000000000008');
