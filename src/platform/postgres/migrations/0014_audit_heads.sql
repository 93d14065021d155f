-- The second place of what must not be put back alone: for each tenant and master key the signatures of the row of its chain and of its
-- retention ('': none yet). audit_heads_total holds the sum over all of them, encrypted, so that only who has the key can tell or make it.
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
-- '': of before; signed once, at the first start of this release.
ALTER TABLE audit_retention ADD COLUMN signature text NOT NULL DEFAULT '';
