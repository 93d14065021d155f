import { checkAccount, NO_OBSTACLES, type AccountFacts } from './account-rules.js';

describe('a change of an account', () => {
  it('is allowed if nothing prevents it', () => {
    expect(() => checkAccount(NO_OBSTACLES)).not.toThrow();
  });

  it.each<[keyof AccountFacts, string]>([
    ['passwordReplaced', 'password-wrong'],
    ['resetTokenGone', 'reset-token-invalid'],
    ['storeHasUsers', 'user-exists'],
    ['emailTaken', 'email-taken'],
  ])('is refused if %s: %s', (fact, code) => {
    expect(() => checkAccount({ ...NO_OBSTACLES, [fact]: true })).toThrow(expect.objectContaining({ code }));
  });
});
