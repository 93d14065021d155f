-- Who can write to the database must not make a credential with it: a row counts only with a signature, under a key that is derived from
-- SECRET_KEY, over the owner and all that the row gives. '' is a row of before; it is signed once, at the first start of this release.
-- Rows that were signed with another key are looked for at each start, by the name of the key, with which a signature begins.
ALTER TABLE api_key ADD COLUMN signature text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX api_key_signed_with ON api_key (left(signature, 8), key_id);
ALTER TABLE password_reset ADD COLUMN signature text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX password_reset_signed_with ON password_reset (left(signature, 8), digest);
ALTER TABLE session ADD COLUMN signature text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX session_signed_with ON session (left(signature, 8), session_id);
ALTER TABLE user_account ADD COLUMN password_signature text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX user_account_signed_with ON user_account (left(password_signature, 8), user_id) WHERE password_hash IS NOT NULL;
