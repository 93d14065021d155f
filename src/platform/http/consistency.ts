import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { ManagementWatch, placeOf, placeText } from '../event-log/index.js';
import { httpError } from './http-errors.js';
import type { Request } from './request.js';

const HEADER = 'x-consistency-token';
const WAIT_MS_MAX = 1_000;
const TOKEN = /^[A-Za-z]{1,20}\.\d{1,15}(,[A-Za-z]{1,20}\.\d{1,15}){0,9}$/;

const written = new WeakMap<Request, Map<string, number>>();

/** Records where a request has written to the management logs. */
export function recordWrite(request: Request, topicUid: string, position: number): void {
  const places = written.get(request);
  if (places) places.set(topicUid, position);
  else written.set(request, new Map([[topicUid, position]]));
}

/**
 * Read-your-writes over all instances: the response to a change carries `X-Consistency-Token`, and for a request that sends it this
 * instance checks whether it has seen that change. A token is issued after the commit, so one look, shared by all waiting requests,
 * decides: what it does not find was invented.
 */
@Injectable()
export class Consistency {
  constructor(private readonly watch: ManagementWatch) {}

  /** Whether a request has something to wait for. */
  appliesTo({ headers }: Request): boolean {
    return headers[HEADER] !== undefined;
  }

  install(fastify: FastifyInstance): void {
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const places = written.get(request);
      if (places)
        reply.header(HEADER, [...places].map(([topicUid, position]) => placeText({ topicUid, position })).join(','));
      done(null, payload);
    });
  }

  /** Called once the caller is authenticated: strangers wait for nothing. */
  async waitUntilCaughtUp({ headers }: Request): Promise<void> {
    const token = headers[HEADER];
    const places = typeof token !== 'string' || !TOKEN.test(token) ? [] : token.split(',').map(placeOf);
    if (places.length === 0 || places.includes(undefined)) throw invented();
    const looked = Promise.all(places.map((place) => this.watch.reached(place!)));
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), WAIT_MS_MAX);
    const reached = await Promise.race([looked, late.promise]).finally(() => clearTimeout(timer));
    if (!reached)
      throw httpError('not-caught-up', 'This instance has not seen that change yet.', { retryAfterSeconds: 1 });
    if (reached.includes(false)) throw invented();
  }
}

const invented = (): Error =>
  httpError('invalid-request', 'The X-Consistency-Token was not issued by this server.', {
    errors: [{ pointer: 'X-Consistency-Token', detail: 'must be sent back as it was received' }],
  });
