-- What the consumers of a tenant take where they say nothing themselves, and the job that removes it, where there is one.
ALTER TABLE tenant ADD COLUMN defaults text;
ALTER TABLE tenant ADD COLUMN deletion_id text COLLATE "C";

-- Tenants that are removed with all that they hold. A row outlives its tenant by 30 days. total and done count namespaces, topics,
-- consumers and events; beat rises for as long as an instance works at it.
CREATE TABLE tenant_deletion (
  tenant_id text COLLATE "C" NOT NULL,
  deletion_id text COLLATE "C" NOT NULL,
  started_by text COLLATE "C",
  state text NOT NULL,
  total bigint NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  beat bigint NOT NULL DEFAULT 0,
  error text,
  started_at bigint NOT NULL,
  finished_at bigint,
  PRIMARY KEY (tenant_id, deletion_id)
);
-- Asked for by id when nobody knows the tenant any more.
CREATE INDEX tenant_deletion_id ON tenant_deletion (deletion_id);
CREATE INDEX tenant_deletion_open ON tenant_deletion (deletion_id) WHERE finished_at IS NULL;
