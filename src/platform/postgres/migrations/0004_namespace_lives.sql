-- An id of a namespace may have many lives; what it holds belongs to one of them. Times cannot tell them apart: each log has its own clock.
ALTER TABLE namespace ADD COLUMN namespace_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE topic ADD COLUMN namespace_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE consumer ADD COLUMN namespace_uid uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
