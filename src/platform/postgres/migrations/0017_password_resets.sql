-- Several tokens a user at once: one that a stranger asks for does not make the owner's worthless. All go when one is used.
ALTER TABLE password_reset DROP CONSTRAINT password_reset_pkey;
ALTER TABLE password_reset ADD PRIMARY KEY (user_id, digest);
