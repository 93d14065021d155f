import * as fc from 'fast-check';
import {
  ACTIONS,
  actionsOf,
  hasBit,
  intersection,
  isEmpty,
  isSame,
  maskOf,
  maskOfBits,
  union,
  without,
  type ActionMask,
} from './actions.js';

/** More than the current number of words can hold. */
const PLANTED = 200;
const bits = fc.uniqueArray(fc.nat(PLANTED - 1));

const bitsOf = (mask: ActionMask): Set<number> =>
  new Set(Array.from({ length: PLANTED }, (_, bit) => bit).filter((bit) => hasBit(mask, bit)));

it('a mask is a set of any number of actions: 200 planted ones are distinguished', () => {
  fc.assert(
    fc.property(bits, bits, (one, other) => {
      const [maskA, maskB] = [maskOfBits(one), maskOfBits(other)];
      expect(bitsOf(maskA)).toEqual(new Set(one));
      expect(bitsOf(union(maskA, maskB))).toEqual(new Set([...one, ...other]));
      expect(bitsOf(intersection(maskA, maskB))).toEqual(new Set(one.filter((bit) => other.includes(bit))));
      expect(bitsOf(without(maskA, maskB))).toEqual(new Set(one.filter((bit) => !other.includes(bit))));
      expect(isEmpty(maskA)).toBe(one.length === 0);
      expect(isSame(maskA, maskB)).toBe(new Set([...one, ...other]).size === one.length && one.length === other.length);
    }),
  );
});

it('the mask of actions contains each of them, and nothing else', () => {
  expect(actionsOf(maskOf(ACTIONS))).toEqual(ACTIONS);
  for (const action of ACTIONS) expect(actionsOf(maskOf([action, 'no:action']))).toEqual([action]);
});
