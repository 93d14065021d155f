import { defineErrors } from '../../../kernel/domain-error.js';

export const identityError = defineErrors({
  unauthenticated: { kind: 'unauthenticated', title: 'Valid credentials are required' },
  'authorization-stale': { kind: 'unavailable', title: 'Credentials cannot be checked at the moment' },
  'login-failed': { kind: 'unauthenticated', title: 'E-mail or password is wrong' },
  'login-throttled': { kind: 'throttled', title: 'Too many attempts to log in' },
  'login-busy': { kind: 'unavailable', title: 'Too many logins at once' },
  'password-refused': { kind: 'invalid', title: 'The password is not good enough' },
  'password-wrong': { kind: 'forbidden', title: 'The current password is wrong' },
  'reset-token-invalid': { kind: 'invalid', title: 'The token for a new password is not valid' },
  'session-required': { kind: 'forbidden', title: 'A login is required' },
  'session-not-found': { kind: 'not-found', title: 'Session not found' },
  'user-exists': { kind: 'conflict', title: 'The user exists already' },
  'user-not-found': { kind: 'not-found', title: 'User not found' },
  'user-suspended': { kind: 'conflict', title: 'The user is suspended' },
  'email-taken': { kind: 'conflict', title: 'The e-mail belongs to another user' },
  'own-account': { kind: 'conflict', title: 'Not possible for the own account' },
  'service-account': { kind: 'conflict', title: 'Not possible for a service account' },
  'invitation-throttled': { kind: 'throttled', title: 'Too many invitations' },
  'mail-queue-full': { kind: 'unavailable', title: 'Too many mails wait to be sent' },
  'mail-not-configured': { kind: 'unprocessable', title: 'No mail can be sent' },
});

/** The store is unavailable, and what is cached is too old to be used. */
export const authorizationStale = (cause: unknown): Error =>
  identityError(
    'authorization-stale',
    'Whether the credentials and permissions are still valid cannot be checked; try again.',
    { retryAfterSeconds: 1 },
    { cause },
  );

export const unauthenticated = (): Error =>
  identityError('unauthenticated', 'The credentials are missing, wrong or expired.');

export const emailTaken = (): Error => identityError('email-taken', 'Another user has this e-mail.');

export const passwordWrong = (): Error => identityError('password-wrong', 'The current password is wrong.');

export const resetTokenInvalid = (): Error =>
  identityError('reset-token-invalid', 'The token is wrong, used or expired; ask for another one.');
