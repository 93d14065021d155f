import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../../src');

/** Files that may use a repeating timer of their own, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'platform/http/open-connections.ts': 'for some seconds, at the shutdown, when loops are closed',
};

const repeats = (source: string): boolean => /\bsetInterval\(/.test(source);
const files = globSync('**/*.ts', { cwd: SOURCES, exclude: ['**/*.spec.ts'] });
const repeating = files.filter((file) => repeats(readFileSync(join(SOURCES, file), 'utf8')));

describe('background work that repeats', () => {
  it('is a Loop, so that it is in the metrics and its close waits for it, except for the named exceptions', () => {
    expect(files.length).toBeGreaterThan(200);
    expect(repeating.toSorted()).toEqual(Object.keys(EXCEPTIONS).toSorted());
  });

  it('is checked: a repeating timer is reported', () => {
    expect(repeats('this.timer = setInterval(() => void this.sweep(), 1_000);')).toBe(true);
  });
});
