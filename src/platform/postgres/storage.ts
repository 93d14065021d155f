import type pg from 'pg';
import type { EmbeddedServer } from './embedded/index.js';

/** Where the store is: our own embedded server, or a given one that other instances may share. */
export class Storage {
  constructor(
    readonly connection: pg.ClientConfig,
    private readonly embedded: EmbeddedServer | undefined,
  ) {}

  /** Whether other instances can be on the same store. */
  get shared(): boolean {
    return this.embedded === undefined;
  }

  async stop(): Promise<void> {
    await this.embedded?.stop();
  }
}
