import { randomBytes } from 'node:crypto';
import type { Places } from './access-matrix.js';
import type { Client } from '../api/client.js';
import { Person } from '../api/people.js';
import type { Workspace } from '../api/workspace.js';

/** A text in one place, visible only to callers that hold one of the actions there. */
export interface Mark {
  readonly name: string;
  readonly text: string;
  readonly actions: readonly string[];
  /** A path, empty for the system. */
  readonly at: string;
}

export interface Planted {
  readonly marks: readonly Mark[];
  /** The path parameters of the marked resources. */
  readonly places: Places;
}

const word = (): string => `mark-${randomBytes(6).toString('hex')}`;
let planted = 0;
const cidr = (): string => `203.0.113.${++planted}/32`;

/** Marks everything in a tenant and all its members: names, addresses, conditions, events, the reason of a change. */
export async function plantIn(client: Client, workspace: Workspace, somebody: Person): Promise<Planted> {
  const { tenant, base } = workspace;
  const at = `tenants/${tenant}`;
  const marks: Mark[] = [];
  const mark = (name: string, actions: readonly string[], where: string, text = word()): string => {
    marks.push({ name: `${name} of ${tenant}`, text, actions: [...actions, 'audit:read'], at: where });
    return text;
  };
  const ask = async <T = { id: string }>(method: string, path: string, body: object): Promise<T> => {
    const answer = await client.request<T>(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const shop = `${at}/namespaces/shop`;
  await ask('PATCH', `/${at}`, { name: mark('the name', ['tenant:read'], at) });
  await ask('PATCH', base, { name: mark('the namespace', ['namespace:read'], shop) });
  await ask('PATCH', `${base}/topics/orders`, {
    description: mark('the topic', ['topic:read'], `${shop}/topics/orders`),
  });
  const consumer = await ask('POST', `${base}/consumers`, {
    id: 'warehouse',
    name: mark('the consumer', ['consumer:read'], `${shop}/consumers/warehouse`),
    url: `http://127.0.0.1:65000/${mark('the URL', ['consumer:read'], `${shop}/consumers/warehouse`)}`,
    topics: [{ topic: 'orders', startFrom: 'latest' }],
  });
  const read = (name: string): string => {
    const text = word();
    marks.push({ name: `${name} of ${tenant}`, text, actions: ['event:read'], at: `${shop}/topics/orders` });
    return text;
  };
  await workspace.publish({
    id: 'event',
    stream: 'stream',
    type: read('the type'),
    key: read('the key'),
    data: read('the data'),
  });
  await ask('POST', `/${at}/groups`, { id: 'team', name: mark('the group', ['group:read'], at) });
  await ask('POST', `/${at}/roles`, {
    id: 'clerk',
    name: mark('the role', ['role:read'], at),
    actions: ['topic:read'],
  });
  await ask('PUT', `/${at}/members/${somebody.user.id}`, { roles: ['viewer'] });
  const grant = await ask('POST', `/${at}/permissions`, {
    principal: { user: somebody.user.id },
    effect: 'allow',
    actions: ['topic:read'],
    resource: at,
    constraints: { sourceCidrs: [mark('the condition of a grant', ['permission:read'], at, cidr())] },
  });
  marks.push({
    name: `the grant of ${tenant}`,
    text: grant.id,
    actions: ['permission:read', 'permission:grant', 'audit:read'],
    at,
  });
  const ids = { roleId: 'clerk', groupId: 'team', consumerId: consumer.id, eventId: 'event', stream: 'stream' };
  const places = { tenantId: tenant, namespaceId: 'shop', topicId: 'orders', userId: somebody.user.id, ...ids };
  return { marks, places };
}

/** A marked user, with grants of the system. */
export async function plantPerson(
  client: Client,
): Promise<{ readonly person: Person; readonly marks: readonly Mark[] }> {
  const name = word();
  const person = await Person.create({ client }, { name });
  const { id } = person.user;
  const [condition, keyName] = [cidr(), word()];
  const granted = await client.post<{ id: string }>('/permissions', {
    principal: { user: id },
    effect: 'allow',
    actions: ['topic:read'],
    resource: 'tenants/*',
    constraints: { sourceCidrs: [condition] },
  });
  const made = await client.post(`/users/${id}/api-keys`, { name: keyName, actions: ['topic:read'] });
  if (granted.status !== 201 || made.status !== 201) throw new Error(`${granted.text} ${made.text}`);
  const inSystem = (what: string, text: string, ...actions: string[]): Mark => ({
    name: what,
    text,
    actions: [...actions, 'audit:read'],
    at: '',
  });
  const marks = [
    inSystem('the name of a user', name, 'user:read'),
    inSystem('the e-mail of a user', person.email, 'user:read'),
    inSystem('the condition of a grant of the system', condition, 'permission:read'),
    inSystem('a grant of the system', granted.body.id, 'permission:read'),
    inSystem('the name of a key', keyName, 'api-key:read'),
  ];
  return { person, marks };
}
