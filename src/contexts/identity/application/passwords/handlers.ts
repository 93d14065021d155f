import { ChangePasswordHandler } from './change-password.js';
import { RequestPasswordResetHandler } from './request-password-reset.js';
import { ResetPasswordHandler } from './reset-password.js';
import { SendPasswordResetHandler } from './send-password-reset.js';

export const PASSWORD_HANDLERS = [
  ChangePasswordHandler,
  RequestPasswordResetHandler,
  ResetPasswordHandler,
  SendPasswordResetHandler,
];
