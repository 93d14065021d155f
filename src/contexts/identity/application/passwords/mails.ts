import type { Mail } from '../../../../platform/mail/index.js';

interface Address {
  readonly to: string;
  /** From the configuration: an address from a request may lead anywhere. */
  readonly publicUrl: string;
}

interface Letter extends Address {
  readonly token: string;
  readonly expiresAt: number;
  /** The inviting tenant, if any. Never its name, which may contain any text for any recipient. */
  readonly tenantId?: string | undefined;
}

const howTo = ({ token, expiresAt, publicUrl }: Letter): string => `
  POST ${publicUrl}/auth/password/reset
  Content-Type: application/json

  {"token": "${token}", "newPassword": "…"}

The token works once, until ${new Date(expiresAt).toISOString()}. Do not share it.
`;

export const resetMail = (letter: Letter): Mail => ({
  to: letter.to,
  subject: 'A new password for the event store',
  text: `Someone, hopefully you, asked for a new password for your account at ${letter.publicUrl}. Set it with
${howTo(letter)}
API keys remain valid. If someone else may have had access to your account, add "revokeApiKeys": true to revoke them all.

If it was not you, do nothing: your password does not change.
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
  const made = `An account was created for you at ${publicUrl}`;
  return tenantId === undefined ? `${made}.` : `${made}, because you were invited to the tenant "${tenantId}".`;
};

/** For users who have an account and a password. */
export const membershipMail = ({ to, publicUrl, tenantId }: Address & { readonly tenantId: string }): Mail => ({
  to,
  subject: 'You are a member of a tenant at the event store',
  text: `You were invited to the tenant "${tenantId}" at ${publicUrl}, and are a member of it now. Log in as usual:

  POST ${publicUrl}/auth/login

GET ${publicUrl}/auth/me lists your memberships.
`,
});
