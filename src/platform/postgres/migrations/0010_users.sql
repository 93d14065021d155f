-- E-mail, name and hash are here and nowhere else: events name a user by his id, so that deleting the row erases the person.
ALTER TABLE user_account ALTER COLUMN email DROP NOT NULL;
ALTER TABLE user_account ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE user_account ADD COLUMN kind text NOT NULL DEFAULT 'human';
ALTER TABLE user_account ADD COLUMN state text NOT NULL DEFAULT 'active';
ALTER TABLE user_account ADD COLUMN reason text;
-- 0: an account of before, whose events are missing still.
ALTER TABLE user_account ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE user_account ADD COLUMN updated_at bigint NOT NULL DEFAULT 0;
UPDATE user_account SET updated_at = created_at;

-- Refresh tokens are derived from the seed and the number of the rotation, under the master key: all sessions of before end.
DELETE FROM session;
ALTER TABLE session DROP COLUMN refresh_digest;
ALTER TABLE session DROP COLUMN previous_digest;
ALTER TABLE session ADD COLUMN seed text COLLATE "C" NOT NULL;
ALTER TABLE session ADD COLUMN rotation integer NOT NULL DEFAULT 0;
-- Null: nobody may repeat the last refresh, because the pair that it gave has been used.
ALTER TABLE session ADD COLUMN rotated_at bigint;
ALTER TABLE session ADD COLUMN idle_expires_at bigint NOT NULL;
ALTER TABLE session ADD COLUMN last_used_at bigint NOT NULL;
ALTER TABLE session ADD COLUMN address text NOT NULL;
ALTER TABLE session ADD COLUMN user_agent text;

-- At most one token a user, for a new password or for the first one (an invitation); only its digest is kept.
CREATE TABLE password_reset (
  user_id text COLLATE "C" PRIMARY KEY,
  digest text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX password_reset_digest ON password_reset (digest);
