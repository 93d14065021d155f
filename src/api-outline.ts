import { AUDIT_EXAMPLES } from './contexts/audit/index.js';
import { AUTHZ_EXAMPLES } from './contexts/authz/index.js';
import { CONSUMER_EXAMPLES } from './contexts/consumers/index.js';
import { DELIVERY_WEBHOOKS } from './contexts/delivery/index.js';
import { IDENTITY_EXAMPLES } from './contexts/identity/index.js';
import { TENANCY_EXAMPLES } from './contexts/tenancy/index.js';
import { PUBLISH_EXAMPLES, TOPIC_EXAMPLES } from './contexts/topics/index.js';
import type { ApiOutline } from './platform/http/openapi.js';

/** The groups of operations, in the order in which a reader meets them. */
const TAGS = [
  { name: 'auth', description: 'Log in, refresh, look after your own account, sessions and password.' },
  { name: 'tenants', description: 'Separate customers: their limits, defaults, suspension and deletion.' },
  { name: 'namespaces', description: 'Parts of a tenant, which hold topics and consumers.' },
  { name: 'topics', description: 'What events are published into: one order, one numbering.' },
  { name: 'events', description: 'Publish events, one or many at once; read them by pages, all, or live.' },
  { name: 'consumers', description: 'Webhook endpoints that topics are delivered to, at least once and in order.' },
  { name: 'deliveries', description: 'How far a consumer has come, test deliveries, and the webhook itself.' },
  { name: 'users', description: 'Accounts of humans and services.' },
  { name: 'members', description: 'Who belongs to a tenant, and which roles they hold there.' },
  {
    name: 'roles',
    description: 'Sets of actions under a name: predefined ones, those of a tenant, those of the system.',
  },
  { name: 'groups', description: 'Members who get roles together; groups may hold groups.' },
  {
    name: 'grants',
    description: 'What one user, group, role or API key is allowed or denied, and what follows from all of it.',
  },
  { name: 'api-keys', description: 'Credentials for programs, bounded in place, action, time and address.' },
  { name: 'audit', description: 'What was done, by whom, with what result; chained so that a change shows.' },
  { name: 'operations', description: 'Probes for orchestrators.' },
] as const;

/** The parts of the OpenAPI document besides the operations, collected from the contexts. */
export const API_OUTLINE: ApiOutline = {
  tags: TAGS,
  webhooks: DELIVERY_WEBHOOKS,
  bodyExamples: [
    ...IDENTITY_EXAMPLES,
    ...TENANCY_EXAMPLES,
    ...AUTHZ_EXAMPLES,
    ...TOPIC_EXAMPLES,
    ...CONSUMER_EXAMPLES,
    ...AUDIT_EXAMPLES,
  ],
  mediaExamples: PUBLISH_EXAMPLES,
};
