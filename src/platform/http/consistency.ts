import type { FastifyInstance } from 'fastify';
import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';
import type { ManagementPlace, ManagementWatch } from '../event-log/index.js';
import { httpError } from './http-errors.js';
import type { Request } from './request.js';

const HEADER = 'x-consistency-token';
const WAIT_MS_MAX = 1_000;
const TOKEN = /^[A-Za-z]{1,20}\.\d{1,15}(,[A-Za-z]{1,20}\.\d{1,15}){0,9}$/;

const NAMES = new Map<string, string>(Object.entries(MANAGEMENT_TOPICS).map(([name, uid]) => [uid, name]));
const written = new WeakMap<Request, Map<string, number>>();

/** Notes where a request has written to the management logs. */
export function noteWritten(request: Request, topicUid: string, position: number): void {
  const places = written.get(request);
  if (places) places.set(topicUid, position);
  else written.set(request, new Map([[topicUid, position]]));
}

/**
 * Read-your-writes over all instances: the answer to a change carries `X-Consistency-Token`, and a request that sends it waits until its
 * instance has seen that change, at most a second.
 */
export function installConsistency(fastify: FastifyInstance, watch: ManagementWatch): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const token = request.headers[HEADER];
    if (token === undefined) return done();
    waitFor(watch, token).then(() => done(), done);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const places = written.get(request);
    if (places) reply.header(HEADER, [...places].map(([uid, position]) => `${NAMES.get(uid)}.${position}`).join(','));
    done(null, payload);
  });
}

async function waitFor(watch: ManagementWatch, token: string | string[]): Promise<void> {
  const places = Array.isArray(token) || !TOKEN.test(token) ? [] : token.split(',').map(placeOf);
  if (places.length === 0 || places.includes(undefined)) {
    throw httpError('invalid-request', 'X-Consistency-Token is none that this server has given out.', {
      errors: [{ pointer: 'X-Consistency-Token', detail: 'must be sent back as it was received' }],
    });
  }
  const reached = await Promise.all(places.map((place) => watch.reached(place!, WAIT_MS_MAX)));
  if (reached.includes(false)) {
    throw httpError('not-caught-up', 'This instance has not seen that change yet.', { retryAfterSeconds: 1 });
  }
}

function placeOf(part: string): ManagementPlace | undefined {
  const [name, position] = part.split('.') as [string, string];
  const topicUid = new Map<string, string>(Object.entries(MANAGEMENT_TOPICS)).get(name);
  return topicUid === undefined ? undefined : { topicUid, position: Number(position) };
}
