import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { cruise } from 'dependency-cruiser';
import { join } from 'node:path';

/** Checks the `src` of each given directory, all in one process: starting one takes longer than checking a few files. */
const options = await extractOptions(join(import.meta.dirname, '../../../.dependency-cruiser.mjs'));
const results = [];
for (const directory of process.argv.slice(2)) {
  process.chdir(directory);
  const { output } = await cruise(['src'], { ...options, baseDir: directory });
  results.push(output.summary);
}
process.stdout.write(JSON.stringify(results));
