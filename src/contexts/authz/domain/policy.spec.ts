import fc from 'fast-check';
import { ACTIONS, bitOf, hasBit, maskOf, type Action } from '../../../kernel/actions.js';
import type { Constraints, RequestContext } from './constraints.js';
import { Policy } from './policy.js';
import { parsePattern, reaches, reachesPath } from './resource-pattern.js';
import { hashOf } from './rule-table.js';
import { ruleOf, type Rule } from './rule.js';

const context: RequestContext = {
  now: Date.parse('2026-03-04T12:00:00Z'),
  address: '192.0.2.1',
  eventType: 'order.paid',
};

/** What the documentation says, word for word, rule by rule: slow and plain. */
function plainly(rules: readonly Rule[], action: Action, resource: string, at: RequestContext): boolean {
  const matching = rules.filter(
    (rule) =>
      hasBit(rule.actions, bitOf(action)!) && names(rule.resource.text, resource) && holds(rule, rule.constraints, at),
  );
  return matching.some(({ effect }) => effect === 'allow') && !matching.some(({ effect }) => effect === 'deny');
}

function names(pattern: string, resource: string): boolean {
  if (pattern === 'system') return true;
  const [asked, given] = [resource.split('/'), pattern.split('/')];
  if (given.length > asked.length) return false;
  if (pattern.includes('*') && asked.some((segment) => segment.startsWith('$'))) return false;
  return given.every((segment, i) => {
    const escaped = segment.replace(/[.$]/g, (character) => `\\${character}`).replace('*', '[^$].*');
    return (
      segment === asked[i] ||
      new RegExp(`^${escaped}$`).test(asked[i]!) ||
      (segment !== '*' && segment === `${asked[i]}*`)
    );
  });
}

function holds(
  { effect }: Rule,
  constraints: Constraints | null | undefined,
  { now, address, eventType }: RequestContext,
): boolean {
  if (!constraints) return true;
  const { validFrom, validUntil, eventTypes, sourceCidrs } = constraints;
  if (validFrom !== undefined && now < Date.parse(validFrom)) return false;
  if (validUntil !== undefined && now >= Date.parse(validUntil)) return false;
  if (sourceCidrs && address === undefined) return effect === 'deny';
  if (sourceCidrs && !sourceCidrs.includes(`${address}/32`)) return false;
  return (
    !eventTypes ||
    eventTypes.some((glob) => glob === eventType || (glob.endsWith('*') && eventType!.startsWith(glob.slice(0, -1))))
  );
}

/** Longer than the 64 lengths that a table distinguishes. */
const [long, longer] = ['a'.repeat(64), 'a'.repeat(65)];
const id = fc.constantFrom('a', 'ab', 'b', '$system', 'orders', 'orders-eu', long, longer);
const segment = fc.oneof(id, fc.constantFrom('*', 'a*', 'orders*', 'orders-*', `${long}*`));
const path = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(of).map(([t]) => `tenants/${t}`),
    fc.tuple(of, of).map(([t, n]) => `tenants/${t}/namespaces/${n}`),
    fc.tuple(of, of, of).map(([t, n, o]) => `tenants/${t}/namespaces/${n}/topics/${o}`),
  );
const constraints: fc.Arbitrary<Constraints | null> = fc.option(
  fc.record(
    {
      validFrom: fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'),
      validUntil: fc.constantFrom('2026-02-01T00:00:00Z', '2027-01-01T00:00:00Z'),
      eventTypes: fc.constantFrom(['order.*'], ['order.paid'], ['invoice.*']),
      sourceCidrs: fc.constantFrom(['192.0.2.1/32'], ['192.0.2.2/32']),
      rateLimit: fc.constant({ limit: 1, windowSeconds: 60 }),
    },
    { requiredKeys: [] },
  ),
  { freq: 3 },
);
const action = fc.constantFrom<Action>('event:publish', 'event:read', 'system:read', 'tenant:read');
const rule: fc.Arbitrary<Rule> = fc
  .tuple(
    fc.constantFrom('allow', 'deny'),
    fc.subarray(ACTIONS.slice(), { minLength: 1 }),
    fc.oneof(path(segment), fc.constant('system')),
    constraints,
  )
  .map(([effect, actions, resource, limits]) =>
    ruleOf(
      { kind: 'grant', id: 'g' },
      effect as Rule['effect'],
      actions,
      parsePattern(resource),
      limits && Object.keys(limits).length > 0 ? limits : null,
    ),
  );
const rules = fc
  .array(rule, { maxLength: 8 })
  .map((all) => all.map((one, i) => ({ ...one, via: { kind: 'grant' as const, id: `g${i}` } })));
const types = ['order.paid', 'order.x', 'invoice.paid', 'other'];
const place = path(id);

describe('a compiled policy', () => {
  it('decides as the rules say, read one by one', () => {
    fc.assert(
      fc.property(
        rules,
        action,
        place,
        fc.option(fc.constant('192.0.2.1'), { nil: undefined }),
        (own, what, where, address) => {
          const at = { ...context, address };
          expect(new Policy(own).check(what, where, at).allowed).toBe(plainly(own, what, where, at));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('allows no more with one more deny, nor with one allow less, in whatever order', () => {
    fc.assert(
      fc.property(rules, rule, action, place, (own, extra, what, where) => {
        const allowed = (all: readonly Rule[]): boolean => new Policy(all).check(what, where, context).allowed;
        const before = allowed(own);
        expect(allowed([...own, { ...extra, effect: 'deny' }]) && !before).toBe(false);
        expect(allowed(own.filter(({ effect }, i) => effect === 'deny' || i > 0)) && !before).toBe(false);
        expect(allowed(own.toReversed())).toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('says of each type of event what it would say if it knew it beforehand', () => {
    fc.assert(
      fc.property(rules, place, fc.constantFrom(...types), fc.boolean(), (own, where, eventType, held) => {
        const policy = new Policy(own);
        const open = policy.check('event:read', where, { ...context, eventType: undefined }, held);
        const known = policy.check('event:read', where, { ...context, eventType }, held);
        expect(open.allowed && (open.types?.permits(eventType) ?? true)).toBe(known.allowed);
        expect([known.types, known.ratesByType]).toEqual([undefined, undefined]);
        const sameRates = known.allowed && !open.ratesByType;
        expect(sameRates ? known.rates : undefined).toEqual(sameRates ? open.rates : undefined);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes without knowing the type from all the rates that it might take from if it knew', () => {
    fc.assert(
      fc.property(rules, place, fc.constantFrom(...types), (own, where, eventType) => {
        const policy = new Policy(own);
        const open = policy.check('event:read', where, { ...context, eventType: undefined });
        const known = policy.check('event:read', where, { ...context, eventType });
        if (!open.allowed || !known.rates) return;
        const [mayTake] = known.rates.map((list) => list.map(({ grantId }) => grantId));
        const takes = (open.rates ?? []).map((list) => list.map(({ grantId }) => grantId));
        expect(takes.some((list) => list.every((grantId) => mayTake!.includes(grantId)))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is not narrowed by one more allow: no type less, and no rate where there was none', () => {
    fc.assert(
      fc.property(rules, rule, place, fc.constantFrom(...types), (own, extra, where, eventType) => {
        const at = { ...context, eventType };
        const before = new Policy(own).check('event:publish', where, at);
        const after = new Policy([...own, { ...extra, effect: 'allow' }]).check('event:publish', where, at);
        if (!before.allowed) return;
        expect(after.allowed).toBe(true);
        const ids = ({ rates = [] }: typeof before): string[] => rates.flat().map(({ grantId }) => grantId);
        const more = before.rates !== undefined && ids(before).every((one) => ids(after).includes(one));
        expect(after.rates === undefined || more).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('decides with what is held otherwise as with one more rule that allows it without condition', () => {
    fc.assert(
      fc.property(rules, action, place, fc.constantFrom(undefined, ...types), (own, what, where, eventType) => {
        const at = { ...context, eventType };
        const whole = ruleOf({ kind: 'grant', id: 'all' }, 'allow', ACTIONS, parsePattern('system'));
        const [held, ruled] = [
          new Policy(own).check(what, where, at, true),
          new Policy([...own, whole]).check(what, where, at),
        ];
        const said = ({ types: limits, ...rest }: typeof held) => [rest, types.map((type) => limits?.permits(type))];
        expect(said(held)).toEqual(said(ruled));
      }),
      { numRuns: 3_000 },
    );
  });

  it('lacks nothing that it allows everywhere below, and holds nothing that it does not', () => {
    fc.assert(
      fc.property(rules, action, place, (own, what, where) => {
        const policy = new Policy(own);
        if (policy.missing(maskOf([what]), parsePattern(where)).length > 0) return;
        for (const at of [context, { now: 0 }, { ...context, address: undefined }])
          expect(policy.check(what, where, at).allowed).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a pattern', () => {
  it('reaches the same whether it is compared by its text or by its segments', () => {
    fc.assert(
      fc.property(fc.oneof(path(segment), fc.constant('system')), place, (text, where) => {
        const pattern = parsePattern(text);
        expect(reachesPath(pattern.segments.join('/'), where)).toBe(reaches(pattern, where.split('/')));
      }),
      { numRuns: 5_000 },
    );
  });

  it('holds for its own name alone, whatever other has the same hash', () => {
    const [one, other] = twoWithTheSameHash();
    for (const [effect, onOne, onOther] of [
      ['allow', true, false],
      ['deny', false, true],
    ] as const) {
      const about = ruleOf({ kind: 'grant', id: 'g' }, effect, ['topic:read'], parsePattern(one));
      const rest = effect === 'deny' ? [ruleOf(about.via, 'allow', ['topic:read'], parsePattern('tenants/a'))] : [];
      const policy = new Policy([about, ...rest]);
      expect(policy.check('topic:read', one, context).allowed).toBe(onOne);
      expect(policy.check('topic:read', other, context).allowed).toBe(onOther);
    }
    const via = { kind: 'grant', id: 'g' } as const;
    const both = new Policy([
      ruleOf(via, 'allow', ['topic:read'], parsePattern(one)),
      ruleOf(via, 'allow', ['topic:update'], parsePattern(other)),
    ]);
    const allowed = (['topic:read', 'topic:update'] as const).map((what) =>
      [one, other].map((where) => both.check(what, where, context).allowed),
    );
    expect(allowed).toEqual([
      [true, false],
      [false, true],
    ]);
  });
});

/** Among 2^32 hashes two of some 80,000 names share one. */
function twoWithTheSameHash(): [string, string] {
  const byHash = new Map<number, string>();
  for (let i = 0; ; i++) {
    const name = `tenants/a/namespaces/b/topics/${i}`;
    const other = byHash.get(hashOf(name));
    if (other !== undefined) return [name, other];
    byHash.set(hashOf(name), name);
  }
}

describe('constraints', () => {
  const open = (limits: Constraints, now: string, address?: string): boolean =>
    new Policy([ruleOf({ kind: 'grant', id: 'g' }, 'allow', ['topic:read'], parsePattern('tenants/a'), limits)]).check(
      'topic:read',
      'tenants/a',
      { now: Date.parse(now), address },
    ).allowed;

  it.each([
    ['begins to hold exactly when it says', { validFrom: '2026-03-01T00:00:00Z' }, '2026-03-01T00:00:00.000Z', true],
    ['does not hold a millisecond before', { validFrom: '2026-03-01T00:00:00Z' }, '2026-02-28T23:59:59.999Z', false],
    ['ends exactly when it says', { validUntil: '2026-03-01T00:00:00Z' }, '2026-03-01T00:00:00.000Z', false],
    [
      'knows the hours of a zone',
      { hours: { from: '08:00', to: '18:00' }, timeZone: 'Europe/Berlin' },
      '2026-01-05T07:30:00Z',
      true,
    ],
    [
      'knows its summer time',
      { hours: { from: '08:00', to: '18:00' }, timeZone: 'Europe/Berlin' },
      '2026-07-06T16:30:00Z',
      false,
    ],
    ['runs past midnight', { hours: { from: '22:00', to: '06:00' } }, '2026-01-05T05:59:00Z', true],
    ['ends in the morning', { hours: { from: '22:00', to: '06:00' } }, '2026-01-05T06:00:00Z', false],
    [
      'counts a night to the day that it began on',
      { daysOfWeek: ['mon'], hours: { from: '22:00', to: '06:00' } },
      '2026-01-06T03:00:00Z',
      true,
    ],
    ['does not hold on another day', { daysOfWeek: ['mon', 'tue'] }, '2026-01-07T12:00:00Z', false],
  ] as [string, Constraints, string, boolean][])('%s', (_, limits, now, expected) => {
    expect(open(limits, now)).toBe(expected);
  });

  it('evaluate addresses of both families, and an unknown one against the caller', () => {
    const limits = { sourceCidrs: ['10.0.0.0/8', '2001:db8::/32'] };
    const at = '2026-01-01T00:00:00Z';
    expect(
      ['10.1.2.3', '11.0.0.1', '2001:db8::1', '2001:db9::1', undefined].map((address) => open(limits, at, address)),
    ).toEqual([true, false, true, false, false]);
  });
});
