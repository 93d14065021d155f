export {
  startEmbeddedServer,
  type EmbeddedLog,
  type EmbeddedServer,
  type EmbeddedServerOptions,
} from './embedded-server.js';
export { writeDurably } from './durable-file.js';
export { embeddedMasterKey as ownMasterKey } from './master-key.js';
