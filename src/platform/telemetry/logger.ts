import type { Params } from 'nestjs-pino';
import pino from 'pino';

/** Wherever they turn up in what is logged. */
const SECRET_FIELDS = [
  'authorization',
  'x-api-key',
  'cookie',
  'set-cookie',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'secret',
  'key',
  'apiKey',
  'accessToken',
  'refreshToken',
];

/**
 * Second line of defence: what we log names its fields, and none of these. Wildcards (`*.password`, `*.*.password`) would look through
 * every line, for 7 % of the publish rate; so they stand for the two places where a request could be logged whole.
 */
const redact = {
  paths: ['', 'headers', 'req.headers', 'body'].flatMap((place) =>
    SECRET_FIELDS.map((field) => (field.includes('-') ? `${place}["${field}"]` : place === '' ? field : `${place}.${field}`)),
  ),
  censor: '[redacted]',
};

/**
 * JSON lines on standard output, written in blocks of 4 KiB or every 200 ms, and at once when the process ends: a write a line cost a
 * tenth of the publish rate. Requests are logged by our own hook, with the fields of the route (see request-log.ts), so that no
 * child logger is made for each of them.
 */
export function createLogger(level: string): pino.Logger {
  const destination = pino.destination({ fd: 1, minLength: 4_096, sync: false });
  const flush = setInterval(() => destination.flush(), 200);
  flush.unref();
  return pino({ level, redact, base: undefined, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: pino.stdSerializers.err } }, destination);
}

let shared: pino.Logger | undefined;

/** The process has one logger. */
export function processLogger(level = 'info'): pino.Logger {
  shared ??= createLogger(level);
  return shared;
}

export function loggerOptions(level: string): Params {
  return { pinoHttp: { logger: processLogger(level), autoLogging: false }, forRoutes: [] };
}
