import { defineErrors } from '../../../kernel/domain-error.js';

export const identityError = defineErrors({
  unauthenticated: { kind: 'unauthenticated', title: 'Valid credentials are required' },
  'login-failed': { kind: 'unauthenticated', title: 'E-mail or password is wrong' },
  'login-throttled': { kind: 'throttled', title: 'Too many attempts to log in' },
  'login-busy': { kind: 'unavailable', title: 'Too many logins at once' },
  'user-not-found': { kind: 'not-found', title: 'User not found' },
});

export const userNotFound = (userId: string): Error => identityError('user-not-found', `There is no user "${userId}".`);
