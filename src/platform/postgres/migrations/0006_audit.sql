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
-- `signature` covers all of it, so that a chain that was computed anew is seen.
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
  updated_at bigint NOT NULL
);
