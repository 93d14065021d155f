import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { negotiate } from './accept.js';
import { QUIET_ROUTES } from './request-log.js';
import type { Request } from './request.js';
import { invalid } from './validation.js';

/** Where `@ApiProduces` stores its arguments; the package exports only the decorator. */
const PRODUCES = 'swagger/apiProduces';

/** The request and response form that the decorators of an operation declare. */
export interface RequestForm {
  /** Whether it has query parameters; its DTO declares which, and `strictValidation` checks them. */
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
 * A parameter that an operation does not know is refused, never ignored: `DELETE …?dryRun=true` once deleted. Reads are refused if the
 * client accepts none of the available types. Changes are not: none may fail because of the form of its response.
 */
export function requireForm({ query, produces }: RequestForm, request: Request): void {
  if (!query && request.url.includes('?')) refuseParameters(request.query as object);
  const { method, headers } = request;
  if (headers.accept === undefined || headers.accept === '*/*' || (method !== 'GET' && method !== 'HEAD')) return;
  negotiate(headers.accept, produces);
}

function refuseParameters(query: object): void {
  const errors = Object.keys(query).map((name) => ({ pointer: `?${name}`, detail: 'is not a known parameter' }));
  if (errors.length > 0) throw invalid(errors);
}

/**
 * For all operations, after the access guard: only callers with access learn what is wrong with their request. Probes and the metrics
 * accept any parameter: monitoring systems add their own, and must not mistake a refusal for a failing server.
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
