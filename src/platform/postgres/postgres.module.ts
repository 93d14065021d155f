import { Module } from '@nestjs/common';
import { Database } from './database.js';
import { OPEN_STORAGE, type OpenStorage } from './open-storage.js';
import { Presence } from './presence.js';
import { Storage } from './storage.js';

@Module({
  providers: [
    { provide: Database, inject: [OPEN_STORAGE], useFactory: ({ database }: OpenStorage) => database },
    { provide: Storage, inject: [OPEN_STORAGE], useFactory: ({ storage }: OpenStorage) => storage },
    { provide: Presence, inject: [Storage], useFactory: ({ shared }: Storage) => new Presence(!shared) },
  ],
  exports: [Database, Storage, Presence],
})
export class PostgresModule {}
