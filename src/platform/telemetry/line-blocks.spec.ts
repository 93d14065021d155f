import pino from 'pino';
import { LineBlocks } from './line-blocks.js';

let written: string[];
let blocks: LineBlocks;
beforeEach(() => {
  written = [];
  blocks = new LineBlocks({ write: (text) => written.push(text) });
});

it('writes many lines at once, none lost, all in order', () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `{"line":${i},"text":"${'x'.repeat(100)}"}\n`);
  for (const line of lines) blocks.write(line);
  blocks.flushSync();
  expect(written.join('')).toBe(lines.join(''));
  expect(written.length).toBeLessThan(lines.length / 50);
});

it('writes nothing where nothing waits', () => {
  blocks.write('{}\n');
  blocks.flushSync();
  blocks.flushSync();
  expect(written).toEqual(['{}\n']);
});

it('holds a fatal line back no longer than it takes to write it', () => {
  pino({}, blocks).fatal('the end');
  expect(written.join('')).toContain('the end');
});
