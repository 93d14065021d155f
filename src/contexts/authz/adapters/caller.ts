import type { Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { actorOf } from '../../../platform/http/resource.js';
import type { Caller } from '../application/permission-changes.js';

export const callerOf = (request: Request): Caller => ({
  by: actorOf(request),
  giver: request.principal!,
  expectedVersion: expectedVersion(request),
});
