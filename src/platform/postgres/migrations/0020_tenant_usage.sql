-- How much of what is limited a tenant holds, moved in the transactions that make and delete it: to count it took longer the more there was.
-- No row: none. Rows outlive their tenant for as long as something of it is still to be removed.
CREATE TABLE tenant_usage (
  tenant_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  held bigint NOT NULL,
  PRIMARY KEY (tenant_id, kind)
);

INSERT INTO tenant_usage (tenant_id, kind, held) SELECT tenant_id, 'namespaces', count(*) FROM namespace GROUP BY tenant_id;
INSERT INTO tenant_usage (tenant_id, kind, held) SELECT tenant_id, 'topics', count(*) FROM topic GROUP BY tenant_id;
INSERT INTO tenant_usage (tenant_id, kind, held) SELECT tenant_id, 'consumers', count(*) FROM consumer GROUP BY tenant_id;
