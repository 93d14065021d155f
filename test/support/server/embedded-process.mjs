import { fromBuild } from './build.mjs';

/**
 * An app that only runs the embedded PostgreSQL of a data directory, to be killed: it reports to its parent where the server is, stops it
 * gracefully on the message `stop`, exits without stopping it on `exit`, and also when the parent is gone.
 */
const [dataDir, systemDir] = process.argv.slice(2);
const silent = () => undefined;

process.once('disconnect', () => process.exit(1));
try {
  const { startEmbeddedServer } = await fromBuild(process.env.TEST_BUILD, 'platform/postgres/embedded/index.js');
  const log = { info: silent, warn: silent, error: silent };
  const server = await startEmbeddedServer({ dataDir, systemDir, log });
  process.on('message', (told) => {
    if (told === 'exit') process.exit(1);
    void server.stop().then(() => process.exit(0));
  });
  process.send({ pid: server.pid(), connection: server.connection });
} catch (error) {
  process.send({ failure: { code: error.code, message: error.message } }, () => process.exit(1));
}
