/**
 * Preloaded into a server (`--import`): removes authentication and authorization. It shows their cost: the same build, the same route,
 * without its guards.
 */
import { join } from 'node:path';
import { BUILD } from './event-store.mjs';

const CONTEXTS = join(BUILD, 'contexts');
const { Authenticator } = await import(join(CONTEXTS, 'identity/application/authentication/authenticator.js'));
const { AccessGuard } = await import(join(CONTEXTS, 'authz/adapters/access.guard.js'));

const ANYBODY = { id: 'usr_bench', kind: 'user', userId: 'usr_bench' };
Authenticator.prototype.authenticate = () => ANYBODY;
AccessGuard.prototype.letIn = (_route, request) => {
  request.principal = ANYBODY;
  return true;
};
