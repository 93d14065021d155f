import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { PERMISSION, PUBLIC } from '../../../platform/http/access.js';
import type { Request } from '../../../platform/http/request.js';
import { Authenticator } from '../application/authenticator.js';
import { identityError } from '../domain/identity-errors.js';

/**
 * Stands before every route: a route is public, or it names a permission and the caller proves who he is. So far there is one kind of
 * principal, the administrator, who holds every permission.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const handler = context.getHandler();
    if (this.reflector.get<boolean>(PUBLIC, handler)) return true;
    if (!this.reflector.get<string>(PERMISSION, handler))
      throw identityError('permission-undeclared', 'The route declares no permission.');
    const request = context.switchToHttp().getRequest<Request>();
    if (request.principal) return true;
    const principal = this.authenticator.authenticate(request.headers);
    if (!(principal instanceof Promise)) {
      request.principal = principal;
      return true;
    }
    return principal.then((found) => {
      request.principal = found;
      return true;
    });
  }
}
