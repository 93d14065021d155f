/**
 * What a decision from memory costs: the path of every request, in process, with 10,000 users and 100,000 grants. No server: the parts of
 * the build that decide, over rules held in memory as the store would return them.
 */
import 'reflect-metadata';
import { join } from 'node:path';
import { BUILD } from './lib/event-store.mjs';
import { percentiles } from './lib/http-load.mjs';

const AUTHZ = join(BUILD, 'contexts/authz');
const { Authorizer } = await import(join(AUTHZ, 'application/authorizer.js'));
const { Policies } = await import(join(AUTHZ, 'application/policies.js'));
const { resourceOf } = await import(join(AUTHZ, 'adapters/route-access.js'));

const TENANTS = 100;
const USERS_A_TENANT = 100;
const GROUPS_A_TENANT = 20;
const GRANTS_A_USER = 9;
/** Grants to groups, and a few to a role: with those to users they make 100,000. */
const GRANTS_TO_MANY = 100_000 / TENANTS - GRANTS_A_USER * USERS_A_TENANT;
const TOPICS = 200;
/** Calls that are timed together, which spreads the resolution and the cost of the clock over them. */
const GROUP = 16;
const QUESTIONS = 200_000;

/** The same numbers in each run (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const random = randomFrom(3);
const oneOf = (list) => list[random(list.length)];
const tenantOf = (number) => `tenant-${number}`;
const userOf = (tenant, number) => `usr_${tenant}_${number}`;

const ACTIONS = [['event:read'], ['event:publish'], ['event:publish', 'event:read'], ['topic:read', 'consumer:read']];
/** Conditions, on one grant in 20; none on a rate, which is counted after the decision. */
const CONDITIONS = [
  { eventTypes: ['order.*', 'invoice.created'] },
  { validFrom: '2020-01-01T00:00:00Z', validUntil: '2090-01-01T00:00:00Z' },
  { sourceCidrs: ['203.0.113.0/24', '2001:db8::/32'] },
  { hours: { from: '06:00', to: '22:00' }, daysOfWeek: ['mon', 'tue', 'wed', 'thu', 'fri'], timeZone: 'Europe/Berlin' },
];

function resource(tenantId) {
  const shop = `tenants/${tenantId}/namespaces/shop`;
  const kind = random(100);
  if (kind < 70) return `${shop}/topics/topic-${random(TOPICS)}`;
  if (kind < 85) return `${shop}/topics/topic-${random(10)}*`;
  if (kind < 93) return `tenants/${tenantId}/namespaces/*/topics/topic-${random(TOPICS)}`;
  return shop;
}

let grants = 0;
function grant(tenantId, principal) {
  return {
    tenantId,
    grantId: `grt_${grants++}`,
    principal,
    effect: random(20) === 0 ? 'deny' : 'allow',
    actions: oneOf(ACTIONS),
    resource: resource(tenantId),
    constraints: random(20) === 0 ? oneOf(CONDITIONS) : null,
    version: 1,
    createdAt: 0,
  };
}

/** A tree of groups, four deep: members inherit from the groups that contain theirs. */
function makeTenant(tenantNumber) {
  const tenantId = tenantOf(tenantNumber);
  const toMany = Array.from({ length: GRANTS_TO_MANY }, (_, i) =>
    grant(tenantId, i < 5 ? { kind: 'role', id: 'clerk' } : { kind: 'group', id: `group-${i % GROUPS_A_TENANT}` }),
  );
  const nesting = Array.from({ length: GROUPS_A_TENANT - 1 }, (_, i) => ({
    groupId: `group-${Math.floor(i / 3)}`,
    childId: `group-${i + 1}`,
  }));
  const groupRoles = [{ groupId: 'group-1', roleId: 'viewer' }];
  return { roles: [{ roleId: 'clerk', actions: ['topic:read', 'event:read'] }], groupRoles, nesting, grants: toMany };
}

function makeUser(tenantNumber, userNumber) {
  const tenantId = tenantOf(tenantNumber);
  const principal = { kind: 'user', id: userOf(tenantNumber, userNumber) };
  const roles = [{ roleId: oneOf(['clerk', 'viewer', 'developer']), scope: random(2) === 0 ? '' : 'namespaces/shop' }];
  return {
    member: true,
    roles,
    groups: [`group-${random(GROUPS_A_TENANT)}`, `group-${random(GROUPS_A_TENANT)}`],
    grants: Array.from({ length: GRANTS_A_USER }, () => grant(tenantId, principal)),
  };
}

function makeAuthorizer() {
  const tenants = new Map();
  const users = new Map();
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    tenants.set(tenantOf(tenant), makeTenant(tenant));
    for (let user = 0; user < USERS_A_TENANT; user++) users.set(userOf(tenant, user), makeUser(tenant, user));
  }
  const nothing = { roles: [], groupRoles: [], nesting: [], grants: [] };
  const nobody = { member: false, roles: [], groups: [], grants: [] };
  const store = {
    tenantRules: async (tenantId) => tenants.get(tenantId) ?? nothing,
    principalRules: async (tenantId, { id }) => (tenants.has(tenantId) ? users.get(id) : undefined) ?? nobody,
  };
  const gate = { tenantUid: '0', state: 'active', limits: {} };
  // The only question to the watch of other instances' changes: the time since the last look.
  const lookedAt = performance.now();
  const watch = {
    on: () => undefined,
    get ageMs() {
      return Math.min(performance.now() - lookedAt, 1);
    },
  };
  const gates = {
    of: () => {
      void watch.ageMs;
      return gate;
    },
  };
  return new Authorizer(new Policies(store, watch), gates);
}

const PATH = [
  { type: 'tenants', parameter: 'tenantId' },
  { type: 'namespaces', parameter: 'namespaceId' },
  { type: 'topics', parameter: 'topicId' },
];

function makeQuestion() {
  const tenant = random(TENANTS);
  const user = userOf(tenant, random(USERS_A_TENANT));
  return {
    tenantId: tenantOf(tenant),
    principal: { id: user, kind: 'user', userId: user },
    action: oneOf(['event:publish', 'event:read', 'topic:read', 'topic:delete']),
    request: { params: { tenantId: tenantOf(tenant), namespaceId: 'shop', topicId: `topic-${random(TOPICS)}` } },
    context: { now: Date.now(), address: random(2) === 0 ? '203.0.113.9' : '198.51.100.9' },
  };
}

/** A new string, as the parser of a request makes it: its characters are nearby in memory, and it has not been hashed. */
const read = (text) => Buffer.from(text, 'latin1').latin1Slice();

/**
 * As in a request that has just been read and authenticated: new and nearby in memory, down to its strings. Only the data that the decision
 * reads lies far away.
 */
const arrived = ({ tenantId, principal, action, request, context }) => {
  const { namespaceId, topicId } = request.params;
  const id = read(principal.id);
  const params = { tenantId: read(tenantId), namespaceId: read(namespaceId), topicId: read(topicId) };
  return {
    tenantId: params.tenantId,
    principal: { id, kind: principal.kind, userId: id },
    action,
    request: { params },
    context: { now: context.now, address: read(context.address) },
  };
};

/** As the guard does it; the path of the resource is built for each. */
const decide = (authorizer, { tenantId, principal, action, request, context }) =>
  authorizer.subject(tenantId, principal).check(action, resourceOf(PATH, request), context);

const micros = (milliseconds) => Math.round(milliseconds * 1e6) / 1e3;

/** Alternately: calls that are timed as a group, and calls that are timed alone, with the clock read for each. */
function measure(authorizer, questions, seconds) {
  const groups = [];
  const alone = [];
  let allowed = 0;
  const until = performance.now() + seconds * 1_000;
  for (let at = 0; performance.now() < until; at = (at + GROUP * 2) % questions.length) {
    const asked = questions.slice(at, at + GROUP * 2).map(arrived);
    const startedAt = performance.now();
    for (let i = 0; i < GROUP; i++) if (decide(authorizer, asked[i]).allowed) allowed++;
    groups.push((performance.now() - startedAt) / GROUP);
    for (let i = GROUP; i < GROUP * 2; i++) {
      const calledAt = performance.now();
      if (decide(authorizer, asked[i]).allowed) allowed++;
      alone.push(performance.now() - calledAt);
    }
  }
  return { groups, alone, allowedShare: allowed / (alone.length * 2) };
}

function clockCost() {
  const calls = 1_000_000;
  const startedAt = performance.now();
  for (let i = 0; i < calls; i++) performance.now();
  return (performance.now() - startedAt) / calls;
}

async function run({ seconds }) {
  const authorizer = makeAuthorizer();
  const questions = Array.from({ length: QUESTIONS }, makeQuestion);
  let rules = 0;
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    for (let user = 0; user < USERS_A_TENANT; user++) {
      const id = userOf(tenant, user);
      const subject = await authorizer.subject(tenantOf(tenant), { id, kind: 'user', userId: id });
      rules += subject.policy.rules.length;
    }
  }
  measure(authorizer, questions, Math.min(2, seconds(2)));
  const { groups, alone, allowedShare } = measure(authorizer, questions, seconds(10));
  // In millionths of the unit of percentiles(), which rounds to three places.
  const [grouped, single] = [groups, alone].map((values) => percentiles(values.map((value) => value * 1_000)));
  const mean = groups.reduce((sum, value) => sum + value, 0) / groups.length;
  return [
    { name: `p50 (calls in groups of ${GROUP})`, value: grouped.p50, unit: 'µs', atMost: 2 },
    { name: 'p99 (each call alone, with reading the clock)', value: single.p99, unit: 'µs', atMost: 10 },
    { name: `p99 (calls in groups of ${GROUP})`, value: grouped.p99, unit: 'µs' },
    { name: 'p50 (each call alone, with reading the clock)', value: single.p50, unit: 'µs' },
    { name: 'mean', value: micros(mean), unit: 'µs' },
    { name: 'reading the clock', value: micros(clockCost()), unit: 'µs' },
    { name: 'users', value: TENANTS * USERS_A_TENANT, unit: '' },
    { name: 'grants', value: grants, unit: '' },
    { name: 'rules that hold for a user', value: rules / (TENANTS * USERS_A_TENANT), unit: '' },
    { name: 'share of what was allowed', value: allowedShare, unit: '' },
  ];
}

export default [{ name: 'authz-decide', run }];
