import { emailTaken, identityError, passwordWrong, resetTokenInvalid } from './identity-errors.js';

/** What may prevent a change of a user, and is not in their events. */
export interface AccountFacts {
  /** The password that was verified is not the one of the account any more. */
  readonly passwordReplaced: boolean;
  /** The token for a new password was used, or removed by a change of the account. */
  readonly resetTokenGone: boolean;
  /** For the first user: the store already has one. */
  readonly storeHasUsers: boolean;
  /** Another user has the requested e-mail, in any spelling. */
  readonly emailTaken: boolean;
}

export const NO_OBSTACLES: AccountFacts = {
  passwordReplaced: false,
  resetTokenGone: false,
  storeHasUsers: false,
  emailTaken: false,
};

export function checkAccount(facts: AccountFacts): void {
  if (facts.passwordReplaced) throw passwordWrong();
  if (facts.resetTokenGone) throw resetTokenInvalid();
  if (facts.storeHasUsers) throw identityError('user-exists', 'The store has an administrator.');
  if (facts.emailTaken) throw emailTaken();
}
