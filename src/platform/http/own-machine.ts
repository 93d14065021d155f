import { isIP } from 'node:net';
import { isLoopback } from '../egress/index.js';
import type { Request } from './request.js';

/** What a proxy adds to a request that it passes on. */
const PASSED_ON = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];
const HOST = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/;

type Asked = Pick<Request, 'ip' | 'ips' | 'host' | 'headers'>;

/**
 * Whether a program on this machine asks, and means this machine: for what is shown there without credentials. Coming from loopback is not
 * enough. A page of any site in a browser here does, too, and reads the answer where the name of its site is made to mean 127.0.0.1 (DNS
 * rebinding): then `Host` is that name. Other pages cannot read the answer, but have no business here either; browsers tell of them by
 * `Origin` and `Sec-Fetch-Site`.
 */
export function comesFromOwnMachine(request: Asked): boolean {
  return isLoopback(request.ip) && !comesUnknown(request) && namesMachine(request) && !comesFromPage(request);
}

/** Through a proxy on this machine that `HTTP_TRUST_PROXY` does not name, so that everybody seems to come from loopback. */
const comesUnknown = ({ headers, ips = [] }: Asked): boolean =>
  ips.length < 2 && PASSED_ON.some((name) => headers[name] !== undefined);

/** By an address or `localhost`, which no name server can point elsewhere; also where a trusted proxy tells which host it was asked for. */
const namesMachine = ({ host, headers }: Asked): boolean => [host, headers.host].every(isOwnName);

function isOwnName(host: string | undefined): boolean {
  const [, bracketed, bare = ''] = HOST.exec(host ?? '') ?? [];
  return bracketed === undefined ? bare.toLowerCase() === 'localhost' || isIP(bare) === 4 : isIP(bracketed) === 6;
}

/** `none`: typed into the address bar. */
const comesFromPage = ({ headers }: Asked): boolean =>
  headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none';
