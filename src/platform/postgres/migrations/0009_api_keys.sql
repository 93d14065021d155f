-- What a key may do, how long it lives and how it is used. Keys of before have no bounds; their stream begins with their first change
-- (version 0: no event yet). A secret that was rotated away works until previous_ends_at.
ALTER TABLE api_key ADD COLUMN scopes text;
ALTER TABLE api_key ADD COLUMN actions text;
ALTER TABLE api_key ADD COLUMN allowed_cidrs text;
ALTER TABLE api_key ADD COLUMN expires_at bigint;
ALTER TABLE api_key ADD COLUMN previous_digest text COLLATE "C";
ALTER TABLE api_key ADD COLUMN previous_ends_at bigint;
ALTER TABLE api_key ADD COLUMN rotated_at bigint;
ALTER TABLE api_key ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN use_count bigint NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN last_used_at bigint;
ALTER TABLE api_key ADD COLUMN last_used_from text;
-- Use is written in place (HOT), hence the room in each page.
ALTER TABLE api_key SET (fillfactor = 70);
CREATE INDEX api_key_of_user ON api_key (user_id, created_at, key_id);
