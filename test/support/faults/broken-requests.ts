/** A request that is hardly HTTP, and the allowed statuses; 0: the connection ends without a response. */
export type BrokenRequest = readonly [name: string, bytes: string, statuses: readonly number[]];

const LONG = 10_000_000;
/** An event in one chunk, as it should be. */
const EVENT = '{"type":"t","data":1}';
const CHUNK = `${EVENT.length.toString(16)}\r\n${EVENT}\r\n`;

/**
 * Each has valid credentials, so that only its form is wrong. Those that could smuggle a second request contain one that would leave a
 * trace: it publishes an event to `path`.
 */
export function brokenRequests(path: string, apiKey: string): BrokenRequest[] {
  const key = `Host: x\r\nX-API-Key: ${apiKey}\r\n`;
  const get = (address = '/tenants', method = 'GET'): string => `${method} ${address} HTTP/1.1\r\n${key}`;
  const post = `POST ${path} HTTP/1.1\r\n${key}Content-Type: application/json\r\n`;
  const smuggled = `${post}Content-Length: ${EVENT.length}\r\n\r\n${EVENT}`;
  const chunked = (rest: string): string => `${post}Transfer-Encoding: chunked\r\n\r\n${rest}`;
  const refused = [400];
  return [
    ...heads(get),
    [
      'a length and chunks',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      refused,
    ],
    [
      'chunks and a length',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
      refused,
    ],
    [
      'chunks that are not the last coding',
      `${post}Transfer-Encoding: chunked, identity\r\n\r\n${CHUNK}0\r\n\r\n`,
      refused,
    ],
    ['a coding below chunks', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n${CHUNK}0\r\n\r\n`, [501]],
    ['chunks in chunks', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n${CHUNK}0\r\n\r\n`, refused],
    ['chunks in HTTP/1.0', `${post.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n${CHUNK}0\r\n\r\n`, refused],
    ['chunks twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n${CHUNK}0\r\n\r\n`, refused],
    ['a coding that nearly is chunked', `${post}Transfer-Encoding: xchunked\r\n\r\n${CHUNK}0\r\n\r\n`, [501]],
    ['chunks behind a blank', `${post}Transfer-Encoding : chunked\r\n\r\n${CHUNK}0\r\n\r\n${smuggled}`, refused],
    ['two lengths', `${post}Content-Length: 0\r\nContent-Length: 2\r\n\r\nxx${smuggled}`, refused],
    ['the same length twice', `${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`, refused],
    ['two lengths in one header', `${post}Content-Length: 0, 2\r\n\r\n${smuggled}`, refused],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n`, refused],
    ['a signed length', `${post}Content-Length: +2\r\n\r\n{}`, refused],
    ['a hexadecimal length', `${post}Content-Length: 0x2\r\n\r\n{}`, refused],
    ['a length beyond all numbers', `${post}Content-Length: 99999999999999999999999\r\n\r\n`, refused],
    ['a chunk whose size is no number', chunked(`zz\r\n${EVENT}\r\n0\r\n\r\n`), refused],
    ['a chunk of a negative size', chunked(`-1\r\n${EVENT}\r\n0\r\n\r\n`), refused],
    ['a chunk of a size with a prefix', chunked(`0x15\r\n${EVENT}\r\n0\r\n\r\n`), refused],
    ['a chunk of a size beyond all numbers', chunked(`fffffffffffffffff\r\n${EVENT}\r\n0\r\n\r\n`), refused],
    ['a chunk that is longer than it says', chunked(`5\r\n${EVENT}\r\n0\r\n\r\n${smuggled}`), refused],
    ['a chunk with bare line feeds', chunked(`15\n${EVENT}\n0\n\n${smuggled}`), refused],
    ['a chunk with an endless extension', chunked(`15;${'x'.repeat(LONG)}`), [0, 413]],
    ['chunks with an endless trailer', chunked(`${CHUNK}0\r\nX-Trailer: ${'x'.repeat(LONG)}`), [0, 400, 431]],
  ];
}

function heads(get: (address?: string, method?: string) => string): BrokenRequest[] {
  return [
    ['headers of 20 KB', `${get()}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
    ['headers of 10 MB', `${get()}X-Long: ${'x'.repeat(LONG)}\r\n\r\n`, [0, 431]],
    ['three hundred short headers', `${get()}${'A: 1\r\n'.repeat(300)}\r\n`, [431]],
    ['a hundred thousand headers', `${get()}${'X-Many: 1\r\n'.repeat(100_000)}\r\n`, [0, 431]],
    ['an address of 1 MB', `GET /${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [0, 414, 431]],
    ['a name of 5,000 characters', `${get(`/tenants/${'x'.repeat(5_000)}`)}\r\n`, [414]],
    ['an unknown expectation', `${get()}Expect: wonders\r\n\r\n`, [417]],
    ['no host', 'GET /tenants HTTP/1.1\r\n\r\n', [400]],
    ['two hosts', `${get()}Host: y\r\n\r\n`, [400]],
    ['a line folded', `${get()}X-A: 1\r\n 2\r\n\r\n`, [400]],
    ['a line folded with a tab', `${get()}X-A: 1\r\n\t2\r\n\r\n`, [400]],
    ['a first header that is folded', `GET /tenants HTTP/1.1\r\n X-A: 1\r\nHost: x\r\n\r\n`, [400]],
    ['a header without a name', `${get()}: 1\r\n\r\n`, [400]],
    ['a blank in the name of a header', `${get()}X A: 1\r\n\r\n`, [400]],
    ['a bare return in a header', `${get()}X-A: 1\rX-B: 2\r\n\r\n`, [400]],
    ['NUL in a header', `${get()}X-A: a\u0000b\r\n\r\n`, [400]],
    ['NUL in the path', `${get('/tenants/a\u0000b')}\r\n`, [400]],
    ['NUL escaped in the path', `${get('/tenants/a%00b')}\r\n`, [400]],
    ['a broken escape in the path', `${get('/tenants/%zz')}\r\n`, [400]],
    ['an overlong dot in the path', `${get('/tenants/%C0%AE')}\r\n`, [400]],
    ['a broken escape in a page of the documents', `${get('/docs/%zz')}\r\n`, [400]],
    ['a broken escape in the query', `${get('/tenants?limit=%zz')}\r\n`, [400]],
    ['half of a character in the path', `${get('/tenants/%e2%82')}\r\n`, [400]],
    ['a version that there is not', get().replace('HTTP/1.1', 'HTTP/9.9') + '\r\n', [400]],
    ['HTTP/2 without a word', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', [400]],
    ['nothing but line breaks', '\r\n'.repeat(100_000), [0, 400, 408]],
    ['TRACE', `${get('/tenants', 'TRACE')}\r\n`, [405]],
    ['CONNECT', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n', [501]],
    ['a method of its own', `${get('/tenants', 'FETCH')}\r\n`, [501]],
    ['a method in small letters', `${get('/tenants', 'get')}\r\n`, [501]],
  ];
}
