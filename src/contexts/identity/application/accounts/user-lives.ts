import type { Sql } from '../../../../platform/postgres/database.js';

/** What a context does before a user goes: it may refuse by throwing. Called in the transaction of the change. */
export interface UserWitness {
  leaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void>;
}

/** Contexts that come later in the order, and depend on users, register themselves here. */
export class UserLives {
  private readonly witnesses: UserWitness[] = [];

  register(witness: UserWitness): void {
    this.witnesses.push(witness);
  }

  async leaving(sql: Sql, userId: string, how: 'suspended' | 'deleted'): Promise<void> {
    for (const witness of this.witnesses) await witness.leaving(sql, userId, how);
  }
}
