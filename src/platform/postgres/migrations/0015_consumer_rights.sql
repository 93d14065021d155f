-- Whose right a consumer runs on: it pauses where that is gone.
ALTER TABLE consumer ADD COLUMN runs_on text COLLATE "C";
CREATE INDEX consumer_runs_on ON consumer (runs_on, tenant_id, consumer_uid);

-- Consumers of before run on the right of whoever registered them, or of the owner of the key that did; null: not to be found any more.
-- The first start puts it into their own events, and forgets it here.
CREATE TABLE consumer_founder (
  tenant_id text COLLATE "C" NOT NULL,
  consumer_uid uuid NOT NULL,
  user_id text COLLATE "C",
  PRIMARY KEY (tenant_id, consumer_uid)
);
INSERT INTO consumer_founder (tenant_id, consumer_uid, user_id)
SELECT c.tenant_id, c.consumer_uid,
  CASE WHEN starts_with(r.published_by, 'usr_') THEN r.published_by ELSE coalesce(k.user_id, a.user_id) END
FROM consumer c
LEFT JOIN LATERAL (
  SELECT e.published_by FROM event e
  WHERE e.tenant_id = '$system' AND e.topic_uid = '00000000-0000-7000-8000-000000000004' AND e.type = 'consumer.registered'
    AND e.stream = concat(c.tenant_id, '/', c.namespace_id, '/', c.consumer_id)
  ORDER BY e.stream_version DESC LIMIT 1
) r ON true
LEFT JOIN api_key k ON k.key_id = r.published_by
LEFT JOIN LATERAL (
  SELECT ar.user_id FROM audit_record ar
  WHERE ar.tenant_id = c.tenant_id AND ar.actor_id = r.published_by AND ar.user_id IS NOT NULL
  ORDER BY ar.audit_id DESC LIMIT 1
) a ON true;
