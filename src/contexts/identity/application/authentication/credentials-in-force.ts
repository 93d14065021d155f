import type { Principal } from '../../../../platform/http/request.js';
import type { Sql } from '../../../../platform/postgres/database.js';

/** Whether a credential that was verified a moment ago still is one, read in the transaction of what it is to do. */
export abstract class CredentialsInForce {
  /** False: the user is suspended or gone, the session has ended, or the key was revoked, has expired, or has another secret. `now` in milliseconds. */
  abstract holds(sql: Sql, principal: Principal, now: number): Promise<boolean>;
}
