import { surround } from './surroundings.mjs';
import { flushCompileCache } from 'node:module';
import { fromBuild } from './build.mjs';

/**
 * The server as a separate process, from the build of this run: it reports to its parent where it listens, stops on SIGTERM, and does not
 * outlive the parent. On a message it reports its CPU time. Standard output is the log and nothing else.
 */
const { TEST_BUILD, BCRYPT_COST } = process.env;

/** 1 ms a hash instead of 50, since tests have hundreds of people; settings allow no cost so low. Tests of the cost set BCRYPT_COST. */
const withCheapHashes = (settings) =>
  BCRYPT_COST === undefined ? { ...settings, security: { ...settings.security, bcryptCost: 4 } } : settings;

process.once('disconnect', () => process.exit(1));
process.on('message', async (told) => {
  if (told === 'cpu') return process.send({ cpu: process.cpuUsage() });
  await surround(told);
  process.send({ surrounded: true });
});
try {
  const { loadSettings } = await fromBuild(TEST_BUILD, 'bundle/config.js');
  const { start } = await fromBuild(TEST_BUILD, 'bundle/bootstrap.js');
  const running = await start(withCheapHashes(loadSettings({ env: process.env })), '0.0.0-test');
  process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)));
  flushCompileCache(); // also for those that are killed
  process.send({ url: running.url, firstAccess: running.firstAccess });
} catch (error) {
  process.send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }, () =>
    process.exit(1),
  );
}
