import { Controller, Get, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import { Public } from '../../platform/http/access.js';
import type { Reply } from '../../platform/http/request.js';
import { Database, type Statement } from '../../platform/postgres/database.js';
import { Readiness } from '../../platform/telemetry/readiness.js';
import { LivenessDto, ReadinessDto } from './health.dto.js';

const PING: Statement = { name: 'ping', text: 'SELECT 1' };
const PING_TIMEOUT_MS = 500;

/** Probes for orchestrators: without credentials, and without anything confidential. */
@ApiTags('operations')
@Controller('health')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: Database,
    private readonly readiness: Readiness,
  ) {}

  /** The event loop runs. It depends on nothing else, so that the process is not restarted because the store is away. */
  @Get('live')
  @Public('Check whether the process is alive')
  @ApiOkResponse({ type: LivenessDto })
  getLiveness(): LivenessDto {
    return { status: 'ok' };
  }

  @Get('ready')
  @Public('Check whether the process accepts requests')
  @ApiOkResponse({ type: ReadinessDto })
  @ApiServiceUnavailableResponse({
    type: ReadinessDto,
    description: 'Starting, stopping, or the store is not reachable.',
  })
  async getReadiness(@Res({ passthrough: true }) reply: Reply): Promise<HealthCheckResult> {
    try {
      return await this.checks.check([() => this.process(), () => this.storage()]);
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      reply.status(503).header('retry-after', '1');
      return error.getResponse() as HealthCheckResult;
    }
  }

  private process() {
    const indicator = this.indicators.check('process');
    return this.readiness.open ? indicator.up() : indicator.down();
  }

  private async storage() {
    const indicator = this.indicators.check('storage');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>(
      (_, reject) => (timer = setTimeout(() => reject(new Error('late')), PING_TIMEOUT_MS)),
    );
    try {
      await Promise.race([this.database.query(PING), late]);
      return indicator.up();
    } catch {
      return indicator.down();
    } finally {
      clearTimeout(timer);
    }
  }
}
