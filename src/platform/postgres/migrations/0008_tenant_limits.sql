ALTER TABLE tenant ADD COLUMN reason text;
ALTER TABLE tenant ADD COLUMN limits text;
-- An id of a tenant may have many lives; the members, roles and grants of one are not those of the next.
ALTER TABLE tenant ADD COLUMN tenant_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
