import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** Milliseconds by file, measured by `npm run test:times`; half a second is assumed for files without an entry. */
const TIMES = JSON.parse(readFileSync(new URL('times.json', import.meta.url), 'utf8'));

/** Runs no long file alone at the end: Jest knows only the times of earlier runs on the same machine, and CI has none. */
export default class extends Sequencer {
  sort(tests) {
    const time = ({ path, context }) => TIMES[relative(context.config.rootDir, path)] ?? 500;
    return [...tests].toSorted((a, b) => time(b) - time(a) || (a.path < b.path ? -1 : 1));
  }
}
