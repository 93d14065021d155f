import fastify from 'fastify';
import { installRateLimitHeaders, noteLimit } from './rate-limit-headers.js';
import type { LimitLeft } from '../../kernel/limit-left.js';

async function headersOf(...limits: readonly LimitLeft[]): Promise<unknown[]> {
  const server = fastify();
  installRateLimitHeaders(server);
  server.get('/', (request) => {
    for (const limit of limits) noteLimit(request, limit);
    return {};
  });
  const { headers } = await server.inject('/');
  return [headers['ratelimit-policy'], headers['ratelimit']];
}

it('the rest is reported in whole numbers: never more than is left, and never a reset too early', async () => {
  const limit = { policy: 'a', quota: 5.9, windowSeconds: 60, remaining: 1.9, resetSeconds: 0.2 };
  expect(await headersOf(limit)).toEqual(['"a";q=5;w=60', '"a";r=1;t=1']);
  expect(await headersOf({ policy: 'a', quota: 1e21, remaining: -3 })).toEqual(['"a";q=999999999999999', '"a";r=0']);
});

it('several limits form one list, and the last report of each counts', async () => {
  const bytes = { policy: 'bytes', quota: 10, unit: 'content-bytes' } as const;
  const rate = { policy: 'rate', quota: 2, windowSeconds: 1 };
  expect(
    await headersOf({ ...rate, remaining: 2 }, { ...bytes, remaining: 4 }, { ...rate, remaining: 0, resetSeconds: 1 }),
  ).toEqual(['"bytes";q=10;qu="content-bytes", "rate";q=2;w=1', '"bytes";r=4, "rate";r=0;t=1']);
});

it('a response without a limit has no such headers', async () => {
  expect(await headersOf()).toEqual([undefined, undefined]);
});
