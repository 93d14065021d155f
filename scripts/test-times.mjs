// `npm run test:times`: runs all tests and stores how long each file takes, for test/support/server/longest-first.mjs. Run it when that has changed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'event-store-times-'));
try {
  const file = join(directory, 'results.json');
  execFileSync('npm', ['test', '--', '--json', `--outputFile=${file}`], { cwd: ROOT, stdio: 'inherit' });
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const times = testResults
    .map(({ name, startTime, endTime }) => [relative(ROOT, name), Math.round((endTime - startTime) / 100) * 100])
    .filter(([, ms]) => ms >= 2_000)
    .toSorted((a, b) => b[1] - a[1]);
  writeFileSync(
    join(ROOT, 'test/support/server/times.json'),
    `${JSON.stringify(Object.fromEntries(times), null, 2)}\n`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}
