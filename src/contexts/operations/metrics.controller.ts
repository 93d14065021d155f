import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import { SystemAccess } from '../authz/index.js';
import { TELEMETRY_SETTINGS, type Settings } from '../../platform/config/index.js';
import { digest, equalDigests } from '../../platform/crypto/keys.js';
import { isLoopback } from '../../platform/egress/index.js';
import { Public } from '../../platform/http/access.js';
import { httpError } from '../../platform/http/http-errors.js';
import type { Reply, Request } from '../../platform/http/request.js';

/** What a proxy adds to a request that it passes on. */
const PASSED_ON = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

/** For Prometheus: from loopback without credentials, from elsewhere with `METRICS_TOKEN` as bearer token, or for who may `metrics:read`. */
@Controller('metrics')
export class MetricsController extends PrometheusController {
  constructor(
    @Inject(TELEMETRY_SETTINGS) private readonly settings: Settings['telemetry'],
    private readonly access: SystemAccess,
  ) {
    super();
  }

  @Get()
  @Public('Metrics for Prometheus')
  @ApiExcludeEndpoint()
  override async index(@Res({ passthrough: true }) response: unknown): Promise<string> {
    const { request } = response as Reply;
    if (!this.isOpenTo(request) && !(await this.access.allows(request, 'metrics:read')))
      throw httpError('route-not-found', 'There is no such route.');
    return super.index(response);
  }

  private isOpenTo(request: Request): boolean {
    const token = this.settings.metricsToken?.reveal();
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined) return token !== undefined && equalDigests(digest(given), digest(token));
    return isLoopback(request.ip) && !comesUnknown(request);
  }
}

/** Through a proxy on this machine that `HTTP_TRUST_PROXY` does not name, so that everybody seems to come from loopback. */
function comesUnknown({ headers, ips = [] }: Request): boolean {
  return ips.length < 2 && PASSED_ON.some((name) => headers[name] !== undefined);
}
