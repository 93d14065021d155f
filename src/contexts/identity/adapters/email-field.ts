import { applyDecorators } from '@nestjs/common';
import { IsString, Matches, MaxLength, ValidateBy } from 'class-validator';
import { OneLine } from '../../../platform/http/field-rules.js';

export const EMAIL_MAX = 254;

/** Lone surrogates all become the same replacement character on their way out: what differs must not be taken for the same. */
export const WellFormed = (): PropertyDecorator =>
  ValidateBy({
    name: 'isWellFormed',
    validator: {
      validate: (value) => typeof value === 'string' && value.isWellFormed(),
      defaultMessage: () => 'must be well-formed Unicode',
    },
  }) as PropertyDecorator;

/** An address that an account is to have, and mail to be sent to. */
export const EmailField = (): PropertyDecorator =>
  applyDecorators(
    IsString(),
    MaxLength(EMAIL_MAX),
    OneLine(),
    Matches(/^[^\s@\p{Cc}<>,;:"()[\]\\]+@[^\s@\p{Cc}<>,;:"()[\]\\]+$/u, { message: 'must be an e-mail address' }),
  ) as PropertyDecorator;
