import { applyDecorators } from '@nestjs/common';
import { IsString } from 'class-validator';
import { Length, Pattern } from './field-rules.js';

const EMAIL_MAX = 254;
/** What ADMIN_EMAIL accepts. */
const KNOWN_EMAIL_MAX = 320;
const UNFIT = String.raw`\u0000-\u001f\u007f-\u009f\ud800-\udfff`;
const KNOWN_EMAIL = new RegExp(`^[^${UNFIT}]+$`, 'u');
/** Characters that a name may not contain (see field-rules.ts), and separators of addresses or their parts. */
const PART = String.raw`[^\s@<>,;:"()\[\]\\${UNFIT}\u200b\u2060\u202a-\u202e\u2066-\u2069]+`;

/** The address of a new account, to which mail is sent. */
export const EmailField = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(1, EMAIL_MAX),
    Pattern(new RegExp(`^${PART}@${PART}$`, 'u'), 'must be an e-mail address'),
  ) as PropertyDecorator;

/** The address of an existing account: anything that was ever accepted for one. */
export const KnownEmail = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    Length(1, KNOWN_EMAIL_MAX),
    Pattern(KNOWN_EMAIL, 'must be an e-mail address'),
  ) as PropertyDecorator;
