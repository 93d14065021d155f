import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** Milliseconds by file, as `npm run test:times` has measured them; of files that are not in it half a second is assumed. */
const TIMES = JSON.parse(readFileSync(new URL('times.json', import.meta.url), 'utf8'));

/** So that no long file is left to one worker at the end: Jest knows times of earlier runs on the same machine only, and CI has none. */
export default class extends Sequencer {
  sort(tests) {
    const time = ({ path, context }) => TIMES[relative(context.config.rootDir, path)] ?? 500;
    return [...tests].toSorted((a, b) => time(b) - time(a) || (a.path < b.path ? -1 : 1));
  }
}
