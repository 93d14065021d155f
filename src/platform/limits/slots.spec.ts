import { Slots } from './slots.js';

describe('slots', () => {
  it('are counted in all, and for each in whose name they are taken', () => {
    const slots = new Slots();
    slots.take('tenant a', 'user 1');
    slots.take('tenant a', 'user 2');
    expect([slots.inAll, slots.of('tenant a'), slots.of('user 1'), slots.of('user 3')]).toEqual([2, 2, 1, 0]);
  });

  it('are given back once, however often that is called', () => {
    const slots = new Slots();
    const giveBack = slots.take('tenant a');
    slots.take('tenant a');
    giveBack();
    giveBack();
    expect([slots.inAll, slots.of('tenant a')]).toEqual([1, 1]);
  });
});
