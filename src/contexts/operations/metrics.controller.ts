import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiExcludeEndpoint } from '@nestjs/swagger';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import { SystemAccess } from '../authz/index.js';
import { TELEMETRY_SETTINGS, type Settings } from '../../platform/config/index.js';
import { digest, equalDigests } from '../../platform/crypto/keys.js';
import { Public } from '../../platform/http/access.js';
import { parseAuthorization } from '../../platform/http/authorization.js';
import { httpError } from '../../platform/http/http-errors.js';
import { isFromThisMachine } from '../../platform/http/own-machine.js';
import type { Reply, Request } from '../../platform/http/request.js';
import { Metrics } from '../../platform/telemetry/metrics.js';

/**
 * For Prometheus: with `METRICS_TOKEN` as bearer token, or for callers that may `metrics:read`. From the local machine also without
 * credentials, but then without metrics that name tenants: a local program need not be allowed to know them.
 */
@Controller('metrics')
export class MetricsController extends PrometheusController {
  constructor(
    @Inject(TELEMETRY_SETTINGS) private readonly settings: Settings['telemetry'],
    private readonly access: SystemAccess,
    private readonly metrics: Metrics,
  ) {
    super();
  }

  @Get()
  @Public('Metrics for Prometheus')
  @ApiExcludeEndpoint()
  override async index(@Res({ passthrough: true }) response: unknown): Promise<string> {
    const { request } = response as Reply;
    const given = parseAuthorization(request.headers.authorization ?? '');
    const token = given?.scheme === 'bearer' ? given.credential : undefined;
    const own = token === undefined && isFromThisMachine(request);
    if (this.isToken(token) || (await this.mayRead(request, own)))
      return `${await super.index(response)}\n${await this.metrics.naming.metrics()}`;
    if (own) return super.index(response);
    throw httpError('route-not-found', 'There is no such route.');
  }

  private isToken(given: string | undefined): boolean {
    const token = this.settings.metricsToken?.reveal();
    return given !== undefined && token !== undefined && equalDigests(digest(given), digest(token));
  }

  /** While the store is away no credentials can be checked, and the local machine must still see the metrics. */
  private async mayRead(request: Request, own: boolean): Promise<boolean> {
    try {
      return await this.access.allows(request, 'metrics:read');
    } catch (error) {
      if (own) return false;
      throw error;
    }
  }
}
