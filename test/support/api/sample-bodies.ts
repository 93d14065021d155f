import { randomBytes } from 'node:crypto';
import { addressOf, type Places } from '../checks/access-matrix.js';
import type { BodyRoute } from './api-bodies.js';
import type { TestApp } from '../server/app.js';
import type { Answer, Client, Payload, Problem } from './client.js';
import { bearer, newPassword, Person, stranger, type Tokens } from './people.js';
import { Workspace } from './workspace.js';

interface Sample {
  /** Valid bodies, new ones each time: the first has most of the fields, the others those that exclude them. */
  readonly bodies: () => readonly object[];
  /** Parameters of the path beyond those of all routes. */
  readonly places?: Places;
  /** The problem that shows that the body was accepted, if the status is not 2xx. */
  readonly passes?: string;
}

const RETRY = {
  strategy: 'schedule',
  initialDelayMs: 1_000,
  maxDelayMs: 2_000,
  multiplier: 2,
  jitter: 0.1,
  maxAttempts: 3,
  maxAgeSeconds: 60,
  scheduleMs: [1_000],
};
const FAR = new Date(Date.now() + 86_400_000).toISOString();
const EARLY = '2026-01-01T00:00:00Z';
const LATE = '2030-01-01T00:00:00Z';
/** A system administrator may open events for an hour. */
const SOON = new Date(Date.now() + 1_800_000).toISOString();

let made = 0;
const fresh = (): string => `made-${++made}`;

/** A workspace in which every route that takes a body can be called with a valid one, again and again. */
export class SampleBodies {
  private readonly samples: Readonly<Record<string, Sample>>;

  private constructor(
    readonly client: Client,
    readonly places: Places,
    spare: Places,
    email: string,
    administrator: string,
  ) {
    this.samples = {
      ...tenancySamples(spare, administrator),
      ...identitySamples(places, spare, email),
      ...authzSamples(places),
      ...topicSamples(administrator),
      ...auditSamples(),
    };
  }

  /** The server must trust the stated address of a client: see `stranger`. */
  static async prepare(app: TestApp): Promise<SampleBodies> {
    const { body } = await app.client
      .with(stranger())
      .post<Tokens>('/auth/login', { email: app.adminEmail, password: app.adminPassword });
    const client = app.client.with(bearer(body.accessToken));
    const [shop, spare] = [await Workspace.create(client), await Workspace.create(client)];
    const [person, other] = [await Person.create({ client }), await Person.create({ client })];
    const userId = person.user.id;
    const base = `/tenants/${shop.tenant}`;
    await done(client.request('PUT', `${base}/members/${userId}`, { roles: ['viewer'] }));
    const roleId = `clerk-${randomBytes(4).toString('hex')}`; // a system role is shared by all tests on this server
    for (const path of [`${base}/roles`, '/roles']) await done(client.post(path, { id: roleId, actions: ['topic:*'] }));
    await done(client.post(`${base}/groups`, { id: 'team' }));
    const consumer = await shop.register('http://127.0.0.1:65000/', { id: 'warehouse' });
    const limited = { name: 'key', actions: ['topic:read'] };
    const key = await client.post<{ id: string }>(`/users/${userId}/api-keys`, limited);
    const ids = { roleId, groupId: 'team', consumerId: consumer.id, keyId: key.body.id };
    const places = { tenantId: shop.tenant, namespaceId: 'shop', topicId: 'orders', userId, ...ids };
    return new SampleBodies(
      client,
      places,
      { tenantId: spare.tenant, userId: other.user.id },
      person.email,
      body.user.id,
    );
  }

  /** Routes of the OpenAPI document that have no body here. */
  missing(routes: readonly BodyRoute[]): string[] {
    return routes.filter(({ name }) => !this.samples[name]).map(({ name }) => name);
  }

  bodies({ name }: BodyRoute): readonly object[] {
    return this.samples[name]!.bodies();
  }

  /** The body that has a value in the place, or else the first. */
  bodyWith(route: BodyRoute, pointer: string): object {
    const bodies = this.bodies(route);
    return bodies.find((body) => valueAt(body, pointer) !== undefined) ?? bodies[0]!;
  }

  /** Each time from another address, so that nothing is throttled. */
  send(route: BodyRoute, body: Payload): Promise<Answer<Problem>> {
    const path = addressOf(
      { ...route, permission: undefined, forEach: false },
      { ...this.places, ...this.samples[route.name]!.places },
    );
    return this.client.request(route.method, path, body, stranger());
  }

  /** The value of an id in the path of a route. */
  placeOf({ name }: Pick<BodyRoute, 'name'>, id: string): string | undefined {
    return ({ ...this.places, ...this.samples[name]?.places } as Readonly<Record<string, string>>)[id];
  }

  /** Whether the body was accepted, whatever became of the request. */
  passed({ name }: BodyRoute, { status, body }: Answer<Problem>): boolean {
    const { passes } = this.samples[name]!;
    return passes === undefined ? status < 300 : body?.code === passes;
  }
}

export function valueAt(body: object, pointer: string): unknown {
  let at: unknown = body;
  for (const name of pointer.split('/').slice(1)) at = (at as Record<string, unknown> | undefined)?.[name];
  return at;
}

async function done(answer: Promise<Answer<unknown>>): Promise<void> {
  const { status, text } = await answer;
  if (status >= 300) throw new Error(`${status}: ${text}`);
}

const one = (body: () => object, more: Omit<Sample, 'bodies'> = {}): Sample => ({ bodies: () => [body()], ...more });

const LIMITS = { namespaces: 10, topics: 10, consumers: 10, eventsPerSecond: 1_000, storageBytes: 1_000_000 };

const tenancySamples = (spare: Places, owner: string): Record<string, Sample> => ({
  'POST /tenants': one(() => ({
    id: fresh(),
    name: 'Acme',
    owner,
    limits: LIMITS,
    defaults: { retry: RETRY, timeoutMs: 1_000 },
  })),
  'PATCH /tenants/{tenantId}': one(
    () => ({
      name: 'Acme',
      limits: LIMITS,
      defaults: { retry: RETRY, timeoutMs: 1_000 },
    }),
    { places: spare },
  ),
  'POST /tenants/{tenantId}/suspend': one(() => ({ reason: 'unpaid' }), { places: spare }),
  'POST /tenants/{tenantId}/namespaces': one(() => ({ id: fresh(), name: 'Shop' })),
  'PATCH /tenants/{tenantId}/namespaces/{namespaceId}': one(() => ({ name: 'Shop' })),
});

const identitySamples = ({ tenantId }: Places, spare: Places, email: string): Record<string, Sample> => ({
  'POST /auth/login': one(() => ({ email, password: 'not the right one' }), { passes: 'login-failed' }),
  'POST /auth/refresh': one(() => ({ refreshToken: 'esr_none' }), { passes: 'unauthenticated' }),
  'PATCH /auth/me': one(() => ({ name: 'Admin' })),
  'POST /auth/password/change': one(
    () => ({ currentPassword: 'not it', newPassword: newPassword(), revokeApiKeys: true }),
    {
      passes: 'password-wrong',
    },
  ),
  'POST /auth/password/reset-request': one(() => ({ email })),
  'POST /auth/password/reset': one(() => ({ token: 'epr_none', newPassword: newPassword(), revokeApiKeys: true }), {
    passes: 'reset-token-invalid',
  }),
  'POST /users': one(() => ({ kind: 'human', email: `${fresh()}@example.test`, name: 'Ann', password: newPassword() })),
  'PATCH /users/{userId}': one(() => ({ name: 'Ann', email: `${fresh()}@example.test` }), { places: spare }),
  'POST /users/{userId}/suspend': one(() => ({ reason: 'left' }), { places: spare }),
  'POST /users/{userId}/api-keys': one(() => ({
    name: 'key',
    scopes: [{ tenant: tenantId, namespace: 'shop', topic: 'orders' }],
    actions: ['event:publish'],
    expiresAt: FAR,
    allowedCidrs: ['10.0.0.0/8'],
  })),
  'POST /users/{userId}/api-keys/{keyId}/rotate': one(() => ({ gracePeriodSeconds: 60, expiresAt: FAR })),
});

function authzSamples({ tenantId, userId, roleId, keyId }: Places): Record<string, Sample> {
  const resource = `tenants/${tenantId}`;
  const principals = [{ user: userId }, { group: 'team' }, { role: roleId }, { apiKey: keyId }];
  const constraints = {
    eventTypes: ['order.*'],
    validFrom: EARLY,
    validUntil: SOON,
    daysOfWeek: ['mon'],
    hours: { from: '08:00', to: '18:00' },
    timeZone: 'Europe/Berlin',
    rateLimit: { limit: 10, windowSeconds: 60 },
    sourceCidrs: ['10.0.0.0/8'],
  };
  const grant = { effect: 'allow', actions: ['event:read'], resource, constraints };
  const grants = { bodies: () => principals.map((principal) => ({ principal, ...grant })) };
  const context = { eventType: 'order.created', time: EARLY, address: '10.0.0.1' };
  const role = { name: 'Clerk', description: 'Reads', actions: ['topic:read'] };
  const member = one(() => ({ roles: ['viewer'] }));
  return {
    'POST /tenants/{tenantId}/members': one(() => ({ email: `${fresh()}@example.test`, roles: ['viewer'] })),
    'PUT /tenants/{tenantId}/members/{userId}': member,
    'PATCH /tenants/{tenantId}/members/{userId}': member,
    'POST /roles': one(() => ({ id: fresh(), ...role })),
    'POST /tenants/{tenantId}/roles': one(() => ({ id: fresh(), ...role })),
    'PATCH /roles/{roleId}': one(() => role),
    'PATCH /tenants/{tenantId}/roles/{roleId}': one(() => role),
    'POST /tenants/{tenantId}/groups': one(() => ({ id: fresh(), name: 'Team' })),
    'PATCH /tenants/{tenantId}/groups/{groupId}': one(() => ({ name: 'Team' })),
    'POST /permissions': grants,
    'POST /tenants/{tenantId}/permissions': grants,
    'POST /authz/check': {
      bodies: () => principals.map((principal) => ({ principal, action: 'event:read', resource, context })),
    },
  };
}

function topicSamples(reader: string): Record<string, Sample> {
  const consumer = {
    name: 'Warehouse',
    correlationId: 'wh-1',
    ordering: 'topic',
    onExhausted: 'block',
    timeoutMs: 1_000,
    url: 'http://127.0.0.1:65000/',
    topics: [{ topic: 'orders', startFrom: 'latest' }],
    headers: { 'x-shop': 'yes' },
    retry: RETRY,
  };
  const base = '/tenants/{tenantId}/namespaces/{namespaceId}';
  return {
    [`POST ${base}/topics`]: one(() => ({ id: fresh(), description: 'What is ordered' })),
    [`PATCH ${base}/topics/{topicId}`]: one(() => ({ description: 'What is ordered' })),
    [`POST ${base}/topics/{topicId}/events`]: one(() => ({
      type: 'order.created',
      data: { total: 1 },
      id: fresh(),
      key: 'k',
      stream: 's',
      time: EARLY,
      schemaVersion: 1,
      correlationId: 'c',
      causationId: 'd',
      metadata: { shop: 1 },
    })),
    [`POST ${base}/consumers`]: one(() => ({ id: fresh(), ...consumer })),
    [`PATCH ${base}/consumers/{consumerId}`]: one(() => ({ ...consumer, runsOn: { user: reader } })),
  };
}

function auditSamples(): Record<string, Sample> {
  const filter = {
    actor: 'system',
    user: 'usr_1',
    action: 'topic.*',
    resource: 'tenants/',
    outcome: 'success',
    address: '10.0.0.1',
    correlationId: 'c',
    from: EARLY,
    to: LATE,
  };
  return {
    'POST /audit/export': one(() => ({ ...filter, format: 'ndjson' })),
    'POST /tenants/{tenantId}/audit/export': one(() => ({ ...filter, format: 'ndjson' })),
    'PUT /audit/retention': one(() => ({ maxAge: 'P400D' })),
    'PUT /tenants/{tenantId}/audit/retention': one(() => ({ maxAge: 'P400D' })),
  };
}
