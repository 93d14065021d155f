import type { Principal } from '../../../../platform/http/request.js';
import type { Sql } from '../../../../platform/postgres/database.js';
import { apiKeyError } from '../../domain/api-key-errors.js';
import type { KeyScope } from '../../domain/key-limits.js';
import type { UserKind } from '../../domain/user.js';

/** A key that is made (no id yet) or gets a new secret, which whoever asks for it will see. */
export interface KeyInQuestion {
  readonly userId: string;
  /** A person can make keys for himself; a service account has them from others. */
  readonly ownerKind: UserKind;
  readonly keyId: string | undefined;
  /** What bounds it; null: nothing does. */
  readonly scopes: readonly KeyScope[] | null;
  readonly actions: readonly string[] | null;
}

/** Judges who gets hold of somebody's credentials by a change that he is permitted to make, in the transaction of the change. */
export interface CredentialJudge {
  /** Throws `api-key-exceeds-own` where the key may do more than who asks for it, `api-key-invalid` where it is for nothing. */
  judgeKey(sql: Sql, key: KeyInQuestion, asking: Principal): Promise<void>;
  /** Throws where the user may do more than who gives him another e-mail, to which a new password can be sent. */
  judgeEmail(sql: Sql, userId: string, asking: Principal): Promise<void>;
}

/** Contexts that come later in the order, and give keys something to do, register themselves here. */
export class CredentialJudges {
  private readonly judges: CredentialJudge[] = [];

  register(judge: CredentialJudge): void {
    this.judges.push(judge);
  }

  async judgeKey(sql: Sql, key: KeyInQuestion, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeKey(sql, key, asking);
  }

  async judgeEmail(sql: Sql, userId: string, asking: Principal): Promise<void> {
    for (const judge of this.judges) await judge.judgeEmail(sql, userId, asking);
  }
}

export const apiKeyExceedsOwn = (detail: string): Error => apiKeyError('api-key-exceeds-own', detail);

export const scopeOfNothing = (at: number): Error =>
  apiKeyError('api-key-invalid', 'The owner of the key holds nothing in a tenant that it is for.', {
    errors: [{ pointer: `/scopes/${at}`, detail: 'names a tenant in which the owner of the key holds nothing' }],
  });
