import { TestEnvironment } from 'jest-environment-node';
import { SharedServer } from './shared-server.mjs';

/** State of this worker, which outlives the test files. */
const sharedServer = new SharedServer();
let files = 0;

export default class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    sharedServer.usedBy(context.testPath);
    this.global.sharedServer = sharedServer;
    this.global.fileNumber = ++files;
  }
}
