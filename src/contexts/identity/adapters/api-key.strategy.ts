import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { Principal } from '../../../kernel/access.js';
import { ApiKeyDirectory } from '../application/authentication/api-key-directory.js';

export interface KeyRequest {
  readonly headers: { readonly 'x-api-key': string };
  readonly address: string;
}

type Done = (error: Error | null, principal?: Principal) => void;
type Verify = (request: KeyRequest, key: string, done: Done) => void;

/** The package passes the request last, where Nest expects the callback. Without a prefix: the package would make a regular expression of it. */
class KeyOfRequest extends HeaderAPIKeyStrategy {
  constructor(verify: Verify) {
    super({ header: 'X-API-Key', prefix: '' }, true, (key, done, request) =>
      verify(request as unknown as KeyRequest, key, done),
    );
  }
}

/** An API key: valid checksum, known, with this secret, not expired, and from an address that it is bound to. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(KeyOfRequest, 'api-key') {
  constructor(private readonly directory: ApiKeyDirectory) {
    super();
  }

  validate({ address }: KeyRequest, key: string): Principal | Promise<Principal> {
    return this.directory.verify(key, address);
  }
}
