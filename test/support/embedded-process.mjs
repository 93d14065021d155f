// Starts the embedded PostgreSQL of a data directory and waits to be killed: `node embedded-process.mjs <dataDir>`.
import { importTypeScript } from './typescript-hooks.mjs';

const { startEmbeddedServer } = await importTypeScript(
  new URL('../../src/platform/postgres/embedded/index.ts', import.meta.url).href,
);
const ignore = () => undefined;
const server = await startEmbeddedServer({
  dataDir: process.argv[2],
  log: { info: ignore, warn: ignore, error: ignore },
});
process.send({ pid: server.pid() });
setInterval(ignore, 60_000);
