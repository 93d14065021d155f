import { surround } from './surroundings.mjs';
import { importTypeScript } from './typescript-hooks.mjs';

/**
 * The server as a process of its own, from the sources: it tells its parent where it listens, stops on SIGTERM, and does not outlive the
 * parent. Asked by a message, it tells how long it has computed. Standard output is the log and nothing else.
 */
const source = (path) => new URL(`../../src/${path}`, import.meta.url).href;

process.once('disconnect', () => process.exit(1));
process.on('message', (told) => {
  if (told === 'cpu') return process.send({ cpu: process.cpuUsage() });
  surround(told);
  process.send({ surrounded: true });
});
try {
  surround(JSON.parse(process.env.TEST_SURROUNDINGS ?? '{}'));
  const { loadSettings } = await importTypeScript(source('platform/config/index.ts'));
  const { start } = await importTypeScript(source('bootstrap.ts'));
  const running = await start(loadSettings({ env: process.env }), '0.0.0-test');
  process.once('SIGTERM', () => void running.stop().then(() => process.exit(0)));
  process.send({ url: running.url, firstAccess: running.firstAccess });
} catch (error) {
  process.send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }, () =>
    process.exit(1),
  );
}
