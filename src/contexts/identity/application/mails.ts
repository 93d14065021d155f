import type { Mail } from '../../../platform/mail/index.js';

interface Letter {
  readonly to: string;
  readonly token: string;
  readonly expiresAt: number;
  /** Of the configuration: an address that a request brings along may lead anywhere. */
  readonly publicUrl: string;
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
If it was not you, do nothing: your password stays as it is.
`,
});

export const invitationMail = (letter: Letter): Mail => ({
  to: letter.to,
  subject: 'Your account at the event store',
  text: `An account was made for you at ${letter.publicUrl}. Choose its password with
${howTo(letter)}
After that, log in with POST ${letter.publicUrl}/auth/login.
`,
});
