import fc from 'fast-check';
import type { KeyScope } from '../../../kernel/access.js';
import { ACTIONS, expandActions } from '../../../kernel/actions.js';
import { actionCovers, limitExcesses, isActionPattern, NO_LIMITS, scopeCovers, type KeyLimits } from './key-limits.js';

const patterns = fc.constantFrom(...ACTIONS, 'event:*', 'topic:*', 'tenant:*', 'api-key:*');
const scopes: fc.Arbitrary<KeyScope> = fc.oneof(
  fc.record({ tenant: fc.constantFrom('a', 'b') }),
  fc.record({ tenant: fc.constantFrom('a', 'b'), namespace: fc.constantFrom('n', 'm') }),
  fc.record({
    tenant: fc.constantFrom('a', 'b'),
    namespace: fc.constantFrom('n', 'm'),
    topic: fc.constantFrom('s', 't'),
  }),
);
const PLACES = ['a', 'b'].flatMap((tenant) =>
  ['n', 'm'].flatMap((namespace) => ['s', 't'].map((topic) => ({ tenant, namespace, topic }))),
);
const limits: fc.Arbitrary<KeyLimits> = fc.record({
  scopes: fc.option(fc.array(scopes, { minLength: 1, maxLength: 3 })),
  actions: fc.option(fc.array(patterns, { minLength: 1, maxLength: 4 })),
  allowedCidrs: fc.option(fc.constantFrom(['10.0.0.0/8'], ['10.1.0.0/16', '192.168.0.0/16'], ['::/0'])),
  expiresAt: fc.option(fc.integer({ min: 1, max: 5 })),
});

/** Everything that a request with the key may do, as a set: the limits as plain loops. */
function worldOf({ scopes: where, actions, expiresAt }: KeyLimits): Set<string> {
  const allowed = new Set<string>(actions ? actions.flatMap(expandActions) : ACTIONS);
  const places = where ? PLACES.filter((place) => where.some((scope) => scopeCovers(scope, place))) : PLACES;
  const times = [1, 2, 3, 4, 5].filter((time) => expiresAt === null || time < expiresAt);
  return new Set(
    places.flatMap((place) => [...allowed].flatMap((a) => times.map((t) => `${JSON.stringify(place)} ${a} ${t}`))),
  );
}

describe('the limits of a key', () => {
  it('within those of another key allow nothing that the other does not', () => {
    fc.assert(
      fc.property(limits, limits, (own, wanted) => {
        fc.pre(limitExcesses(own, wanted).length === 0);
        const may = worldOf(own);
        expect([...worldOf(wanted)].filter((thing) => !may.has(thing))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('are within themselves and within no limits, and transitive', () => {
    fc.assert(
      fc.property(limits, limits, limits, (a, b, c) => {
        expect(limitExcesses(a, a)).toEqual([]);
        expect(limitExcesses(NO_LIMITS, a)).toEqual([]);
        const through = limitExcesses(a, b).length === 0 && limitExcesses(b, c).length === 0;
        expect(through && limitExcesses(a, c).length > 0).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('report each excess, by pointer', () => {
    const own = {
      scopes: [{ tenant: 'a', namespace: 'n' }],
      actions: ['event:*'],
      allowedCidrs: ['10.0.0.0/8'],
      expiresAt: 5,
    };
    expect(limitExcesses(own, NO_LIMITS).map(({ pointer }) => pointer)).toEqual([
      '/scopes',
      '/actions',
      '/allowedCidrs',
      '/expiresAt',
    ]);
    const wanted = {
      scopes: [{ tenant: 'a', namespace: 'n', topic: 't' }, { tenant: 'a' }],
      actions: ['event:publish', 'topic:read'],
      allowedCidrs: ['10.2.0.0/16', '11.0.0.0/8'],
      expiresAt: 6,
    };
    expect(limitExcesses(own, wanted).map(({ pointer }) => pointer)).toEqual([
      '/scopes/1',
      '/actions/1',
      '/allowedCidrs/1',
      '/expiresAt',
    ]);
  });

  it('distinguish a pattern from the list of all actions that it stands for today', () => {
    const all = expandActions('event:*');
    expect(all.every((action) => actionCovers('event:*', action))).toBe(true);
    expect(all.some((action) => actionCovers(action, 'event:*'))).toBe(false);
  });

  it.each(['event:publish', 'event:*', 'api-key:*'])('accept %s as actions', (pattern) => {
    expect(isActionPattern(pattern)).toBe(true);
  });
  it.each([
    '',
    '*',
    ':*',
    'event',
    'event:',
    'event:pub*',
    'event:nothing',
    '*:read',
    'Event:*',
    'event:publish ',
    'nothing:*',
  ])('do not accept %j as actions', (pattern) => {
    expect(isActionPattern(pattern)).toBe(false);
  });
});
