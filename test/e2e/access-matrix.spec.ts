import { jest } from '@jest/globals';
import {
  addressOf,
  documentedRoles,
  NaiveGuard,
  routesOf,
  type Actor,
  type Places,
  type Route,
} from '../support/checks/access-matrix.js';
import { AccessStage, HALTED_BECAUSE } from '../support/api/access-stage.js';
import { plantIn, plantPerson, type Mark } from '../support/checks/planted-marks.js';

/** Makes the server stop after its guards, so that a thousand requests change nothing. */
const STOP = { 'x-stop-behind-guards': '1' };
const PASSED = '409 behind-the-guards';
const AT_ONCE = 16;

let stage: AccessStage;
let routes: Route[];
let naive: NaiveGuard;

beforeAll(async () => {
  stage = await AccessStage.set();
  const { AccessGuard } = await import('../../src/contexts/authz/adapters/access.guard.js');
  const { DomainError } = await import('../../src/kernel/domain-error.js');
  const { letIn } = AccessGuard.prototype;
  jest.spyOn(AccessGuard.prototype, 'letIn').mockImplementation(async function (
    this: InstanceType<typeof AccessGuard>,
    ...[route, request, reply]
  ) {
    const decided = await letIn.call(this, route, request, reply);
    if (!decided || !('x-stop-behind-guards' in request.headers)) return decided;
    throw new DomainError('behind-the-guards', 'conflict', 'It was let in', 'It was let in.');
  });
  routes = routesOf((await stage.admin.client.get<Parameters<typeof routesOf>[0]>('/openapi.json')).body);
  naive = new NaiveGuard(documentedRoles(), new Set([stage.halted]), PASSED);
}, 60_000);
afterAll(() => stage?.strike());

interface Cell {
  readonly actor: Actor;
  readonly route: Route;
  readonly places: Places;
}

async function answerTo({ actor, route, places }: Cell): Promise<string> {
  const { status, body } = await actor.client.request(route.method, addressOf(route, places), undefined, STOP);
  return `${status} ${body?.code}`;
}

/** A line for each request with a wrong status. */
async function mistakesIn(cells: readonly Cell[]): Promise<string[]> {
  const mistakes: string[] = [];
  const rest = cells.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const cell of rest) {
        const [right, answer] = [naive.answerTo(cell.actor, cell.route, cell.places), await answerTo(cell)];
        const { method, path } = cell.route;
        if (answer !== right) mistakes.push(`${method} ${path} by ${cell.actor.name}: ${answer}, not ${right}`);
      }
    }),
  );
  return mistakes;
}

const cells = (actors: readonly Actor[], own: readonly Route[], places: Places): Cell[] =>
  own.flatMap((route) => actors.map((actor) => ({ actor, route, places })));

it('every route is known, with its permission', () => {
  expect(routes.length).toBeGreaterThan(90);
  expect(routes.filter(({ permission }) => permission === undefined).map(({ path }) => path)).toEqual([
    '/auth/login',
    '/auth/refresh',
    '/auth/password/reset-request',
    '/auth/password/reset',
    '/health/live',
    '/health/ready',
  ]);
});

it('every route lets in exactly the permitted callers, and shows all others only what they may know', async () => {
  expect(await mistakesIn(cells(stage.actors, routes, stage.places))).toEqual([]);
}, 60_000);

it('all callers manage their own API keys, within the bounds of the key they use', async () => {
  const own = routes.filter(({ path }) => path.startsWith('/users/{userId}/api-keys'));
  expect(own.length).toBeGreaterThan(3);
  expect(await mistakesIn(cells(stage.actors, own, { ...stage.places, userId: 'me' }))).toEqual([]);
});

it('a suspended tenant lets in only its system administrators', async () => {
  const inTenants = routes.filter(({ path }) => path.includes('{tenantId}'));
  const places = { ...stage.places, tenantId: stage.halted };
  expect(await mistakesIn(cells([...stage.actors, ...stage.haltedActors], inTenants, places))).toEqual([]);
}, 60_000);

it('every actor with valid credentials is let in somewhere and refused elsewhere', async () => {
  const known = stage.actors.filter(({ kind }) => kind !== undefined);
  const closed = routes.filter(({ permission }) => permission !== undefined);
  for (const actor of known) {
    const answers = closed.map((route) => naive.answerTo(actor, route, stage.places));
    expect([actor.name, answers.includes(PASSED), answers.some((answer) => answer !== PASSED)]).toEqual([
      actor.name,
      true,
      true,
    ]);
  }
});

describe('the content of responses', () => {
  let marks: readonly Mark[];
  let placesOf: readonly Places[];

  beforeAll(async () => {
    const { client } = stage.admin;
    const { person, marks: ofPerson } = await plantPerson(client);
    const [shop, foreign] = [await plantIn(client, stage.shop, person), await plantIn(client, stage.foreign, person)];
    const actions = ['tenant:suspend', 'audit:read'];
    const reason = { name: 'the reason of a suspension', text: HALTED_BECAUSE, actions, at: '' };
    marks = [...shop.marks, ...foreign.marks, ...ofPerson, reason];
    placesOf = [shop.places, foreign.places, { ...shop.places, tenantId: stage.halted }];
  });

  /** Reads are sent as they are; for changes the refusal is read. */
  async function shown(actor: Actor, route: Route, places: Places): Promise<string> {
    const looks = route.method === 'GET';
    const address = addressOf(route, places);
    return (await actor.client.request(route.method, address, undefined, looks ? {} : STOP)).text;
  }

  function questions({ tenantId, userId }: Places): object[] {
    const resource = `tenants/${tenantId}/namespaces/shop/topics/orders`;
    const about = [undefined, { user: userId }];
    return about.flatMap((principal) =>
      ['topic:read', 'event:read', 'tenant:read'].map((action) => ({ principal, action, resource })),
    );
  }

  async function answersTo(actor: Actor): Promise<[what: string, text: string][]> {
    const answers: [string, string][] = [];
    for (const places of placesOf) {
      for (const route of routes) {
        const text = await shown(actor, route, places);
        answers.push([`${route.method} ${route.path}`, text]);
      }
      for (const question of questions(places))
        answers.push(['POST /authz/check', (await actor.client.post('/authz/check', question)).text]);
    }
    return answers;
  }

  it('contains nothing that the caller may not read, for any route and caller', async () => {
    const told: string[] = [];
    const seen = new Set<Mark>();
    const rest = [...stage.actors, ...stage.haltedActors].values();
    const work = async (): Promise<void> => {
      for (const actor of rest)
        for (const [what, text] of await answersTo(actor))
          for (const mark of marks.filter((one) => text.includes(one.text))) {
            seen.add(mark);
            if (!naive.maySee(actor, mark)) told.push(`${what} tells ${actor.name} ${mark.name}`);
          }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(told).toEqual([]);
    const byAdministrators = new Set(marks.filter(({ actions }) => actions[0] !== 'event:read'));
    expect([...byAdministrators].filter((mark) => !seen.has(mark)).map(({ name }) => name)).toEqual([]);
    expect(marks.some((mark) => mark.actions[0] === 'event:read' && seen.has(mark))).toBe(true);
  }, 120_000);
});

it('the matrix detects a guard that lets in too many, and one that lets in too few', async () => {
  const { Policy } = await import('../../src/contexts/authz/domain/policy.js');
  const some = cells(stage.actors, routes.slice(0, 12), stage.places);
  const check = jest.spyOn(Policy.prototype, 'check').mockReturnValue({ allowed: true, reason: 'allowed' });
  const tooMany = await mistakesIn(some);
  check.mockReturnValue({ allowed: false, reason: 'not-allowed' });
  const tooFew = await mistakesIn(some);
  check.mockRestore();
  expect([tooMany.length > 20, tooFew.length > 20]).toEqual([true, true]);
});
