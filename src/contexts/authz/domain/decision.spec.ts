import fc from 'fast-check';
import { ALLOWED, DENIED, intersect, NOT_ALLOWED, type Decision } from './decision.js';

const TYPES = ['order.paid', 'order.created', 'invoice.paid'];
const rates = fc.array(
  fc.array(
    fc.nat(9).map((id) => ({ grantId: `g${id}`, limit: 1, windowSeconds: 1 })),
    { minLength: 1, maxLength: 3 },
  ),
  { minLength: 1, maxLength: 2 },
);
const limited = fc
  .tuple(fc.option(fc.subarray(TYPES)), fc.option(rates), fc.boolean())
  .map(([types, own, byType]): Decision => ({
    ...ALLOWED,
    ...(types && { types: { permits: (type) => types.includes(type) } }),
    ...(own && { rates: own, ...(byType && { ratesByType: true }) }),
  }));
const decision = fc.oneof(fc.constantFrom(ALLOWED, DENIED, NOT_ALLOWED), limited);
const permits = ({ allowed, types }: Decision, type: string): boolean => allowed && (types?.permits(type) ?? true);

describe('two decisions together', () => {
  it('allow each type exactly where both do, whichever comes first', () => {
    fc.assert(
      fc.property(decision, decision, fc.constantFrom(...TYPES), (a, b, type) => {
        const both = permits(a, type) && permits(b, type);
        expect([permits(intersect(a, b), type), permits(intersect(b, a), type)]).toEqual([both, both]);
        expect(intersect(a, b).allowed).toBe(a.allowed && b.allowed);
      }),
    );
  });

  it('take from the rates of both', () => {
    fc.assert(
      fc.property(decision, decision, (a, b) => {
        const expected = a.allowed && b.allowed ? [...(a.rates ?? []), ...(b.rates ?? [])] : [];
        expect(intersect(a, b).rates ?? []).toEqual(expected);
        expect(intersect(a, b).ratesByType ?? false).toBe(
          a.allowed && b.allowed && Boolean(a.ratesByType ?? b.ratesByType),
        );
      }),
    );
  });

  it('deny what one denies, and say so', () => {
    fc.assert(
      fc.property(decision, (other) => {
        expect([intersect(DENIED, other).reason, intersect(other, DENIED).reason]).toEqual(['denied', 'denied']);
      }),
    );
  });

  it('make no third one where one of them has no limits', () => {
    fc.assert(
      fc.property(decision, (other) => {
        expect([ALLOWED, other]).toContain(intersect(ALLOWED, other));
        expect([ALLOWED, other]).toContain(intersect(other, ALLOWED));
      }),
    );
  });
});
