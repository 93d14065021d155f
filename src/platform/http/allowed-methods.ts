import type { FastifyInstance, RouteOptions } from 'fastify';
import { httpError } from './http-errors.js';

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/**
 * 405 with `Allow` if a path has other methods than the requested one (RFC 9110, 15.5.6), and a response to OPTIONS. Decided by the
 * patterns of the routes alone, which are in the public document, before authentication: it reveals nothing about what exists, and no body
 * is read needlessly. Only requests without a route come here.
 */
export function installAllowedMethods(fastify: FastifyInstance): void {
  const paths = new Map<string, Path>();
  fastify.addHook('onRoute', ({ url, method }: RouteOptions) => {
    let path = paths.get(url);
    if (!path) paths.set(url, (path = { pattern: patternOf(url), methods: new Set() }));
    for (const one of [method].flat()) path.methods.add(one);
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    const methods = allowed(paths.values(), request.url);
    if (methods.length === 0) return done();
    reply.header('allow', methods.join(', '));
    if (request.method === 'OPTIONS') return void reply.status(204).send();
    done(httpError('method-not-allowed', `This address has ${methods.join(', ')}.`));
  });
}

function allowed(paths: Iterable<Path>, url: string): string[] {
  const path = decodeURI(url.split('?', 1)[0]!);
  const methods = new Set<string>();
  for (const { pattern, methods: known } of paths)
    if (pattern.test(path)) for (const method of known) methods.add(method);
  return methods.size === 0 ? [] : [...methods.add('OPTIONS')].toSorted();
}

/** `/tenants/:tenantId` and `/docs/*`, as Fastify writes routes. */
function patternOf(url: string): RegExp {
  const source = url.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll(/:\w+/g, '[^/]+').replaceAll('*', '.*')}$`, 's');
}
