import { jest } from '@jest/globals';
import pino from 'pino';
import { LineBlocks } from './line-blocks.js';

let written: string[];
let blocks: LineBlocks;
beforeEach(() => {
  jest.useFakeTimers();
  written = [];
  blocks = new LineBlocks({ write: (text) => written.push(text) });
});
afterEach(() => jest.useRealTimers());

it('writes many lines at once, none lost, all in order', () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `{"line":${i},"text":"${'x'.repeat(100)}"}\n`);
  for (const line of lines) blocks.write(line);
  blocks.flushSync();
  expect(written.join('')).toBe(lines.join(''));
  expect(written.length).toBeLessThan(lines.length / 50);
});

it('writes nothing if nothing waits', () => {
  blocks.write('{}\n');
  blocks.flushSync();
  blocks.flushSync();
  expect(written).toEqual(['{}\n']);
});

it('writes a fatal line at once', () => {
  pino({}, blocks).fatal('the end');
  expect(written.join('')).toContain('the end');
});

it('delays no line for more than 100 ms, and does nothing if there is none', () => {
  blocks.write('1\n');
  jest.advanceTimersByTime(60);
  blocks.write('2\n');
  jest.advanceTimersByTime(40);
  expect(written).toEqual(['1\n2\n']);
  expect(jest.getTimerCount()).toBe(0);
  blocks.write('3\n');
  jest.advanceTimersByTime(100);
  expect(written).toEqual(['1\n2\n', '3\n']);
});
