-- Asked for at each start: of a million users the search took a second.
CREATE INDEX user_account_without_events ON user_account (user_id) WHERE version = 0;
