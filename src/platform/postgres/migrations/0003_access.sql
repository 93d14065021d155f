CREATE TABLE user_account (
  user_id text COLLATE "C" PRIMARY KEY,
  email text COLLATE "C" NOT NULL,
  name text NOT NULL,
  password_hash text NOT NULL,
  created_at bigint NOT NULL
);
CREATE UNIQUE INDEX user_account_email ON user_account (email);

-- Only digests are kept: the refresh token and the key cannot be read back.
CREATE TABLE session (
  session_id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  refresh_digest text COLLATE "C" NOT NULL,
  previous_digest text COLLATE "C",
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE api_key (
  key_id text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  digest text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL
);

-- Answers of creating calls, kept for 24 hours under the caller's Idempotency-Key.
CREATE TABLE idempotency (
  principal_id text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  state text NOT NULL,
  status integer,
  headers text,
  body text,
  created_at bigint NOT NULL,
  PRIMARY KEY (principal_id, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
