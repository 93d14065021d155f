import { Clock } from '../../kernel/clock.js';
import { RepeatedLines } from './repeated-lines.js';

class SetClock extends Clock {
  constructor(private at: number) {
    super();
  }
  now(): number {
    return this.at;
  }
  pass(ms: number): void {
    this.at += ms;
  }
}

it('of a repeated message ten lines a minute are written, and the next minute reports the rest', () => {
  const clock = new SetClock(0);
  const lines = new RepeatedLines(clock);
  const said = Array.from({ length: 1_000 }, () => lines.admit('too-many-streams'));
  expect(said.filter((line) => line !== undefined)).toHaveLength(10);
  clock.pass(59_999);
  expect(lines.admit('too-many-streams')).toBeUndefined();
  clock.pass(1);
  expect(lines.admit('too-many-streams')).toEqual({ leftOut: 991 });
  expect(lines.admit('too-many-streams')).toEqual({});
});

it('one kind does not suppress another', () => {
  const lines = new RepeatedLines(new SetClock(0));
  for (let i = 0; i < 100; i++) lines.admit('too-many-streams');
  expect(lines.admit('store-unavailable')).toEqual({});
});
