import { bodyExample } from '../../../platform/http/document-examples.js';
import { EXAMPLE } from '../../../platform/http/examples.js';
import {
  CheckBody,
  GrantBody,
  GroupBody,
  GroupChangeBody,
  InvitationBody,
  MemberBody,
  RoleBody,
  RoleChangeBody,
} from './authz.dto.js';
import { ProfileBody } from './own-profile.dto.js';

const { userId: user, roleId, groupId } = EXAMPLE;
const resource = 'tenants/acme/namespaces/shop/topics/orders';

export const AUTHZ_EXAMPLES = [
  bodyExample(ProfileBody, { name: 'Jane R. Doe' }),
  bodyExample(MemberBody, { roles: ['developer'] }),
  bodyExample(InvitationBody, { email: 'sam@acme.example', roles: ['viewer'] }),
  bodyExample(RoleBody, {
    id: roleId,
    name: 'Order clerk',
    description: 'Looks after the topics of orders.',
    actions: ['topic:read', 'topic:update'],
  }),
  bodyExample(RoleChangeBody, { actions: ['topic:*'] }),
  bodyExample(GroupBody, { id: groupId, name: 'Order desk' }),
  bodyExample(GroupChangeBody, { name: 'Order desk, Berlin' }),
  bodyExample(GrantBody, {
    principal: { user },
    effect: 'allow',
    actions: ['topic:read', 'topic:update'],
    resource,
    constraints: { daysOfWeek: ['mon', 'fri'], hours: { from: '08:00', to: '18:00' }, timeZone: 'Europe/Berlin' },
  }),
  bodyExample(CheckBody, {
    principal: { user },
    action: 'topic:read',
    resource,
    context: { time: '2026-11-30T09:00:00Z', address: '192.0.2.1' },
  }),
];
