import type { Principal } from '../../../platform/http/request.js';
import { apiKeyError } from '../domain/api-key-errors.js';

/** A key that is made (no id yet) or gets a new secret, which whoever asks for it will see. */
export interface KeyInQuestion {
  readonly userId: string;
  readonly keyId: string | undefined;
}

/** Judges who gets hold of somebody's credentials by a change that he is permitted to make. */
export interface CredentialJudge {
  /** Throws `api-key-exceeds-own` where the key may do, besides its bounds, more than who asks for it. */
  judgeKey(key: KeyInQuestion, asking: Principal): Promise<void>;
  /** Throws where the user may do more than who gives him another e-mail, to which a new password can be sent. */
  judgeEmail(userId: string, asking: Principal): Promise<void>;
}

/** Contexts that come later in the order, and give keys something to do, register themselves here. */
export class CredentialJudges {
  private readonly judges: CredentialJudge[] = [];

  register(judge: CredentialJudge): void {
    this.judges.push(judge);
  }

  async judgeKey(key: KeyInQuestion, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeKey(key, asking);
  }

  async judgeEmail(userId: string, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeEmail(userId, asking);
  }
}

export const apiKeyExceedsOwn = (detail: string): Error => apiKeyError('api-key-exceeds-own', detail);
