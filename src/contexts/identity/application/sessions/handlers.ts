import { ListSessionsHandler } from './list-sessions.js';
import { LogInHandler } from './log-in.js';
import { LogOutHandler } from './log-out.js';
import { RefreshSessionHandler } from './refresh-session.js';
import { RevokeSessionHandler } from './revoke-session.js';

export const SESSION_HANDLERS = [
  LogInHandler,
  RefreshSessionHandler,
  LogOutHandler,
  RevokeSessionHandler,
  ListSessionsHandler,
];
