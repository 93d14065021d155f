import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { negotiated } from './accept.js';
import { QUIET_ROUTES } from './request-log.js';
import type { Request } from './request.js';
import { invalid } from './validation.js';

/** Where `@ApiProduces` leaves what it is told; the package exports the decorator alone. */
const PRODUCES = 'swagger/apiProduces';

/** What the decorators of an operation say that it takes and gives. */
export interface RequestForm {
  /** Whether it has parameters in its query; which ones, its DTO says, and `strictValidation` sees to them. */
  readonly query: boolean;
  readonly produces: readonly string[];
}

export function formOf(controller: object, handler: object & { readonly name: string }): RequestForm {
  const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) as object | undefined;
  const produces = Reflect.getMetadata(PRODUCES, handler) as string[] | undefined;
  return {
    query: Object.keys(parameters ?? {}).some((name) => name.startsWith(`${RouteParamtypes.QUERY}:`)),
    produces: produces ?? ['application/json'],
  };
}

/**
 * A parameter that an operation does not know is refused, never ignored: `DELETE …?dryRun=true` did what it was to try. And
 * readers are told where they accept nothing of what there is. Changes are not asked for it: none is refused for the form of its answer.
 */
export function requireForm({ query, produces }: RequestForm, request: Request): void {
  if (!query && request.url.includes('?')) refuseParameters(request.query as object);
  const { method, headers } = request;
  if (headers.accept === undefined || headers.accept === '*/*' || (method !== 'GET' && method !== 'HEAD')) return;
  negotiated(headers.accept, produces);
}

function refuseParameters(query: object): void {
  const errors = Object.keys(query).map((name) => ({ pointer: `?${name}`, detail: 'is not a known parameter' }));
  if (errors.length > 0) throw invalid(errors);
}

/**
 * For all operations, behind the access guard: what is wrong with a request is told to whoever may make it. Probes and the metrics take
 * anything: what watches them adds parameters of its own, and must not take a refusal for a server that is ill.
 */
@Injectable()
export class RequestFormGuard implements CanActivate {
  private readonly forms = new Map<object, RequestForm>();

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (QUIET_ROUTES.has(request.routeOptions.url ?? '')) return true;
    const handler = context.getHandler();
    let form = this.forms.get(handler);
    if (!form) this.forms.set(handler, (form = formOf(context.getClass(), handler)));
    requireForm(form, request);
    return true;
  }
}
