import { CheckPermissionHandler } from './check-permission.js';
import { GetSystemPermissionsHandler, GetTenantPermissionsHandler } from './effective-permissions.js';
import { CreateGrantHandler, RevokeGrantHandler } from './grants/change-grants.js';
import { GetGrantHandler, ListGrantsHandler } from './grants/list-grants.js';
import { CreateGroupHandler, DeleteGroupHandler, RenameGroupHandler } from './groups/change-group.js';
import { AddToGroupHandler, RemoveFromGroupHandler } from './groups/group-parts.js';
import { GetGroupHandler, ListGroupPartsHandler, ListGroupsHandler } from './groups/list-groups.js';
import { AssignRoleHandler, UnassignRoleHandler } from './members/assign-role.js';
import { InviteMemberHandler } from './members/invite-member.js';
import { GetMemberHandler, ListMembersHandler } from './members/list-members.js';
import { RemoveMemberHandler } from './members/remove-member.js';
import { ReplaceRolesHandler, SetMemberHandler } from './members/set-member.js';
import { InvalidatePoliciesHandler } from './invalidate-policies.js';
import { GetOwnPermissionsHandler } from './own-permissions.js';
import { ChangeRoleHandler, CreateRoleHandler, DeleteRoleHandler } from './roles/change-role.js';
import { GetRoleHandler, ListRolesHandler } from './roles/list-roles.js';

export const AUTHZ_HANDLERS = [
  SetMemberHandler,
  ReplaceRolesHandler,
  AssignRoleHandler,
  UnassignRoleHandler,
  RemoveMemberHandler,
  InviteMemberHandler,
  GetMemberHandler,
  ListMembersHandler,
  CreateRoleHandler,
  ChangeRoleHandler,
  DeleteRoleHandler,
  GetRoleHandler,
  ListRolesHandler,
  CreateGroupHandler,
  RenameGroupHandler,
  DeleteGroupHandler,
  AddToGroupHandler,
  RemoveFromGroupHandler,
  GetGroupHandler,
  ListGroupsHandler,
  ListGroupPartsHandler,
  CreateGrantHandler,
  RevokeGrantHandler,
  GetGrantHandler,
  ListGrantsHandler,
  CheckPermissionHandler,
  GetSystemPermissionsHandler,
  GetTenantPermissionsHandler,
  GetOwnPermissionsHandler,
  InvalidatePoliciesHandler,
];
