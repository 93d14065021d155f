import { isIP } from 'node:net';
import { isLoopback } from '../egress/index.js';
import type { Request } from './request.js';

/** Headers that a proxy adds to a forwarded request. */
const PASSED_ON = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];
const HOST = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/;

type Asked = Pick<Request, 'ip' | 'ips' | 'host' | 'headers'>;

/**
 * Whether a request comes from a program on this machine and addresses this machine: for data shown without credentials there. Coming from
 * loopback is not enough. A page of any site in a browser on this machine does, too, and can read the response if the site's name is made
 * to resolve to 127.0.0.1 (DNS rebinding): then `Host` is that name. Other pages cannot read the response, but have no business here
 * either; browsers reveal them by `Origin` and `Sec-Fetch-Site`.
 */
export function isFromThisMachine(request: Asked): boolean {
  return isLoopback(request.ip) && !comesUnknown(request) && namesMachine(request) && !comesFromPage(request);
}

/** Through a proxy on this machine that is not in `HTTP_TRUST_PROXY`, so that every client seems to come from loopback. */
const comesUnknown = ({ headers, ips = [] }: Asked): boolean =>
  ips.length < 2 && PASSED_ON.some((name) => headers[name] !== undefined);

/** By an address or `localhost`, which no name server can redirect; also the host that a trusted proxy forwards. */
const namesMachine = ({ host, headers }: Asked): boolean => [host, headers.host].every(isOwnName);

function isOwnName(host: string | undefined): boolean {
  const [, bracketed, bare = ''] = HOST.exec(host ?? '') ?? [];
  return bracketed === undefined ? bare.toLowerCase() === 'localhost' || isIP(bare) === 4 : isIP(bracketed) === 6;
}

/** `none`: typed into the address bar. */
const comesFromPage = ({ headers }: Asked): boolean =>
  headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none';
