import * as fc from 'fast-check';
import { closesCycle, type Nesting } from './group-cycle.js';

const pair = (groupId: number, childId: number): Nesting => ({ groupId: `g${groupId}`, childId: `g${childId}` });

it('a group that contains the other, directly or through others, cannot be put into it', () => {
  const nesting = [pair(1, 2), pair(2, 3), pair(1, 4)];
  expect(closesCycle(nesting, 'g3', 'g1')).toBe(true);
  expect(closesCycle(nesting, 'g2', 'g1')).toBe(true);
  expect(closesCycle(nesting, 'g1', 'g1')).toBe(true);
  expect(closesCycle(nesting, 'g4', 'g2')).toBe(false);
});

it('groups that are put into each other one by one never contain themselves, and nothing else is refused', () => {
  const group = fc.nat(6);
  fc.assert(
    fc.property(fc.array(fc.tuple(group, group), { maxLength: 30 }), (wanted) => {
      const nesting: Nesting[] = [];
      for (const [holder, held] of wanted) {
        const grown = [...nesting, pair(holder, held)];
        const refused = closesCycle(nesting, `g${holder}`, `g${held}`);
        expect(refused).toBe(!isInOrder(grown));
        if (!refused) nesting.push(pair(holder, held));
      }
    }),
  );
});

/** Groups that contain none can be removed, again and again, until none is left. */
function isInOrder(nesting: readonly Nesting[]): boolean {
  const holders = new Set(nesting.map(({ groupId }) => groupId));
  const rest = nesting.filter(({ childId }) => holders.has(childId));
  return rest.length === 0 || (rest.length < nesting.length && isInOrder(rest));
}
