-- Who may do what: members with their roles, roles, groups, grants. The tenant `$system` holds what is system-wide.
CREATE TABLE member (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX member_of_user ON member (user_id, tenant_id);

CREATE TABLE member_role (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role_id text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, user_id, role_id, scope)
);
CREATE INDEX member_role_holders ON member_role (tenant_id, role_id);

CREATE TABLE role (
  tenant_id text COLLATE "C" NOT NULL,
  role_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  description text,
  actions text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, role_id)
);

CREATE TABLE user_group (
  tenant_id text COLLATE "C" NOT NULL,
  group_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, group_id)
);

-- part: user, role or group (nested).
CREATE TABLE group_part (
  tenant_id text COLLATE "C" NOT NULL,
  group_id text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, group_id, part, id)
);
CREATE INDEX group_part_holders ON group_part (tenant_id, part, id);

CREATE TABLE access_grant (
  tenant_id text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  principal_kind text COLLATE "C" NOT NULL,
  principal_id text COLLATE "C" NOT NULL,
  effect text NOT NULL,
  actions text NOT NULL,
  resource text COLLATE "C" NOT NULL,
  constraints text,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, grant_id)
);
CREATE INDEX access_grant_principal ON access_grant (tenant_id, principal_kind, principal_id);
