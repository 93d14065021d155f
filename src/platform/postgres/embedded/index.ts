export {
  startEmbeddedServer,
  type EmbeddedLog,
  type EmbeddedServer,
  type EmbeddedServerOptions,
} from './embedded-server.js';
export { writeDurably } from './durable-file.js';
export { ownMasterKey } from './master-key.js';
