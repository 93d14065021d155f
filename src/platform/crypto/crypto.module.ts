import { Module } from '@nestjs/common';
import { OPEN_STORAGE, type OpenStorage } from '../postgres/open-storage.js';
import { KeyRing } from './keys.js';

/** The master key comes with the store: an embedded one stores it beside its data. */
@Module({
  providers: [{ provide: KeyRing, inject: [OPEN_STORAGE], useFactory: ({ keys }: OpenStorage) => keys }],
  exports: [KeyRing],
})
export class CryptoModule {}
