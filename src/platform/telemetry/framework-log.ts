import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';

/** Nest's messages go to our log; what it initialises and maps at each start is logged at debug level. */
export function frameworkLog(logger: Logger): LoggerService {
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(message, ...(rest as [])),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(message, ...(rest as [])),
    verbose: (message: unknown, ...rest: unknown[]) => logger.verbose(message, ...(rest as [])),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(message, ...(rest as [])),
    error: (message: unknown, ...rest: unknown[]) => logger.error(message, ...(rest as [])),
    fatal: (message: unknown, ...rest: unknown[]) => logger.fatal(message, ...(rest as [])),
  };
}
