import type { Principal } from '../../../platform/http/request.js';
import { apiKeyError } from '../domain/api-key-errors.js';

/** A key that is made (no id yet) or gets a new secret, which whoever asks for it will see. */
export interface KeyInQuestion {
  readonly userId: string;
  readonly keyId: string | undefined;
}

/** Throws `api-key-exceeds-own` where the key may do, besides its bounds, more than who asks for it. */
export interface KeyJudge {
  judge(key: KeyInQuestion, asking: Principal): Promise<void>;
}

/** Contexts that come later in the order, and give keys something to do, register themselves here. */
export class KeyJudges {
  private readonly judges: KeyJudge[] = [];

  register(judge: KeyJudge): void {
    this.judges.push(judge);
  }

  async judge(key: KeyInQuestion, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judge(key, asking);
  }
}

export const apiKeyExceedsOwn = (detail: string): Error => apiKeyError('api-key-exceeds-own', detail);
