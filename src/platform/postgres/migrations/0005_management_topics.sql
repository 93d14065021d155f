INSERT INTO topic (tenant_id, namespace_id, topic_id, topic_uid, description, version, created_at, updated_at) VALUES
  ('$system', '$management', 'users', '00000000-0000-7000-8000-000000000005', 'Life cycle of users', 0, 0, 0),
  ('$system', '$management', 'permissions', '00000000-0000-7000-8000-000000000006', 'Members, roles, groups and grants', 0, 0, 0),
  ('$system', '$management', 'api-keys', '00000000-0000-7000-8000-000000000007', 'Life cycle of API keys', 0, 0, 0),
  ('$system', '$management', 'sessions', '00000000-0000-7000-8000-000000000008', 'Ends of sessions', 0, 0, 0);
INSERT INTO topic_head (tenant_id, topic_uid) VALUES
  ('$system', '00000000-0000-7000-8000-000000000005'),
  ('$system', '00000000-0000-7000-8000-000000000006'),
  ('$system', '00000000-0000-7000-8000-000000000007'),
  ('$system', '00000000-0000-7000-8000-000000000008');
