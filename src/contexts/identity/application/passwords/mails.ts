import type { Mail } from '../../../../platform/mail/index.js';

interface Address {
  readonly to: string;
  /** Of the configuration: an address that a request brings along may lead anywhere. */
  readonly publicUrl: string;
}

interface Letter extends Address {
  readonly token: string;
  readonly expiresAt: number;
  /** The tenant that invites, if it is one. Never its name, in which anybody could write anything to anybody. */
  readonly tenantId?: string | undefined;
}

const howTo = ({ token, expiresAt, publicUrl }: Letter): string => `
  POST ${publicUrl}/auth/password/reset
  Content-Type: application/json

  {"token": "${token}", "newPassword": "…"}

The token works once, until ${new Date(expiresAt).toISOString()}. Give it to nobody.
`;

export const resetMail = (letter: Letter): Mail => ({
  to: letter.to,
  subject: 'A new password for the event store',
  text: `Somebody, hopefully you, asked for a new password for your account at ${letter.publicUrl}. Set it with
${howTo(letter)}
API keys stay good. If somebody else may have got at your account, add "revokeApiKeys": true, and they all end.

If it was not you, do nothing: your password stays as it is.
`,
});

export const invitationMail = (letter: Letter): Mail => ({
  to: letter.to,
  subject: 'Your account at the event store',
  text: `${invited(letter)} Choose its password with
${howTo(letter)}
After that, log in with POST ${letter.publicUrl}/auth/login.
`,
});

const invited = ({ publicUrl, tenantId }: Letter): string => {
  const made = `An account was made for you at ${publicUrl}`;
  return tenantId === undefined ? `${made}.` : `${made}, because you were invited to the tenant "${tenantId}".`;
};

/** To who has an account and a password. */
export const membershipMail = ({ to, publicUrl, tenantId }: Address & { readonly tenantId: string }): Mail => ({
  to,
  subject: 'You are a member of a tenant at the event store',
  text: `You were invited to the tenant "${tenantId}" at ${publicUrl}, and are a member of it now. Log in as ever:

  POST ${publicUrl}/auth/login

What you are a member of is told by GET ${publicUrl}/auth/me.
`,
});
