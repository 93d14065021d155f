import jwt from 'jsonwebtoken';
import { sharedApp } from '../support/server/app.js';
import type { Client, RequestHeaders } from '../support/api/client.js';

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
  readonly sessionId: string;
  readonly user: { readonly id: string; readonly email: string };
}

const app = await sharedApp();
let anonymous: Client;

beforeAll(async () => {
  anonymous = app.client.with({});
});

const bearer = (token: string): RequestHeaders => ({ authorization: `Bearer ${token}` });
const login = async (): Promise<Tokens> =>
  (await anonymous.post<Tokens>('/auth/login', { email: app.adminEmail, password: app.adminPassword })).body;
const asking = (headers: RequestHeaders) => anonymous.get('/tenants', headers);
const refresh = (refreshToken: string) => anonymous.post<Tokens>('/auth/refresh', { refreshToken });

describe('without valid credentials', () => {
  it.each([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['a token that is none', bearer('nonsense')],
    ['a token of three words', bearer('a.b.c')],
    ['another scheme', { authorization: 'Basic YWRtaW46YWRtaW4=' }],
    ['Bearer without a token', { authorization: 'Bearer' }],
    ['an API key that is none', { 'x-api-key': 'nonsense' }],
    ['an API key as a bearer token', bearer('es_live_000000000000_0000')],
  ])('each request is 401 and says how to authenticate: %s', async (_, headers) => {
    const answer = await asking(headers as RequestHeaders);
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('unknown resources are 401, too, not 404: this does not reveal what exists', async () => {
    for (const path of ['/tenants/none', '/tenants/none/namespaces/none/topics/none/events']) {
      expect((await anonymous.get(path)).status).toBe(401);
    }
  });

  it('the fields of a body are not validated', async () => {
    expect((await anonymous.post('/tenants', { id: '../bad', unknown: true })).status).toBe(401);
  });

  it('a token together with a key is refused, whichever of them is valid', async () => {
    const { accessToken } = await login();
    for (const headers of [
      { ...bearer(accessToken), 'x-api-key': app.apiKey },
      { ...bearer('wrong'), 'x-api-key': app.apiKey },
      { ...bearer(accessToken), 'x-api-key': 'wrong' },
    ]) {
      expect((await asking(headers)).status).toBe(401);
    }
  });

  it('probes and documents are open', async () => {
    for (const path of ['/health/live', '/health/ready', '/openapi.json', '/docs']) {
      expect([path, (await anonymous.get(path)).status]).toEqual([path, 200]);
    }
  });
});

it('valid credentials are accepted in any case of their scheme, and under no other scheme', async () => {
  const { accessToken } = await login();
  for (const scheme of ['bearer', 'BEARER', 'Bearer ', 'bEARER  '])
    expect([scheme, (await asking({ authorization: `${scheme} ${accessToken}` })).status]).toEqual([scheme, 200]);
  for (const scheme of ['apikey', 'APIKEY ', 'bearer'])
    expect([scheme, (await asking({ authorization: `${scheme} ${app.apiKey}` })).status]).toEqual([scheme, 200]);
  const elsewhere: RequestHeaders[] = [{ authorization: `ApiKey ${accessToken}` }, { 'x-api-key': accessToken }];
  for (const headers of elsewhere) expect((await asking(headers)).status).toBe(401);
});

describe('the API key', () => {
  it('of the first start works', async () => {
    expect((await asking({ 'x-api-key': app.apiKey })).status).toBe(200);
  });

  it('with any one character changed does not', async () => {
    for (const at of [0, Math.floor(app.apiKey.length / 2), app.apiKey.length - 1]) {
      const other = app.apiKey[at] === 'A' ? 'B' : 'A';
      const changed = app.apiKey.slice(0, at) + other + app.apiKey.slice(at + 1);
      expect((await asking({ 'x-api-key': changed })).status).toBe(401);
    }
    expect((await asking({ 'x-api-key': app.apiKey.slice(0, -1) })).status).toBe(401);
    expect((await asking({ 'x-api-key': `${app.apiKey}A` })).status).toBe(401);
  });
});

describe('login', () => {
  it('returns a pair of tokens, their lifetime and the user; the access token works', async () => {
    const tokens = await login();
    expect(tokens).toMatchObject({ expiresIn: expect.any(Number), user: { email: app.adminEmail } });
    expect(tokens.sessionId).toBeTruthy();
    expect((await asking(bearer(tokens.accessToken))).status).toBe(200);
    const me = await anonymous.get<Tokens['user']>('/auth/me', bearer(tokens.accessToken));
    expect(me.body).toMatchObject({ email: app.adminEmail, id: tokens.user.id });
  });

  it('gives the same response for an unknown e-mail and a wrong password', async () => {
    const password = 'not the password';
    const answers = [
      await anonymous.post('/auth/login', { email: app.adminEmail, password }),
      await anonymous.post('/auth/login', { email: 'nobody@example.test', password }),
    ];
    const [wrong, unknown] = answers.map(({ status, body }) => ({
      status,
      body: { ...body, correlationId: 'of the request' },
    }));
    expect(wrong!.status).toBe(401);
    expect(unknown).toEqual(wrong);
  });

  it.each([
    ['no password', { email: 'a@example.test' }],
    ['a password that is an object', { email: 'a@example.test', password: { $ne: '' } }],
    ['an unknown field', { email: 'a@example.test', password: 'x', admin: true }],
    ['a password beyond reason', { email: 'a@example.test', password: 'x'.repeat(100_000) }],
    ['an array', []],
  ])('is refused with %s', async (_, body) => {
    expect((await anonymous.post('/auth/login', body)).status).toBe(400);
  });
});

const forged = (token: string, key: string, options: jwt.SignOptions): string => {
  const { payload } = jwt.decode(token, { complete: true })!;
  return jwt.sign(payload as object, key, options);
};

describe('an access token', () => {
  it('is refused with the algorithm none, with another key, and with its own header turned to another algorithm', async () => {
    const { accessToken } = await login();
    const [, payload, signature] = accessToken.split('.') as [string, string, string];
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    for (const token of [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      forged(accessToken, '', { algorithm: 'none' }),
      forged(accessToken, 'another key of thirty-two characters', { algorithm: 'HS256' }),
      forged(accessToken, 'another key of thirty-two characters', { algorithm: 'HS512' }),
    ]) {
      expect((await asking(bearer(token))).status).toBe(401);
    }
    expect((await asking(bearer(accessToken))).status).toBe(200);
  });

  it('is refused with changed claims', async () => {
    const [header, payload, signature] = (await login()).accessToken.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...claims, exp: 99_999_999_999 })).toString('base64url');
    expect((await asking(bearer(`${header}.${changed}.${signature}`))).status).toBe(401);
  });

  it('stops working at once with the logout, as does its refresh token; other sessions continue', async () => {
    const [mine, other] = [await login(), await login()];
    expect((await anonymous.post('/auth/logout', undefined, bearer(mine.accessToken))).status).toBe(204);
    expect((await asking(bearer(mine.accessToken))).status).toBe(401);
    expect((await refresh(mine.refreshToken)).status).toBe(401);
    expect((await asking(bearer(other.accessToken))).status).toBe(200);
  });

  it('is not accepted as a refresh token, nor a refresh token as an access token', async () => {
    const { accessToken, refreshToken } = await login();
    expect([400, 401]).toContain((await refresh(accessToken)).status);
    expect((await asking(bearer(refreshToken))).status).toBe(401);
  });
});

describe('a refresh token', () => {
  it('returns a new pair of the same session', async () => {
    const first = await login();
    const { status, body: second } = await refresh(first.refreshToken);
    expect([status, second.sessionId]).toEqual([200, first.sessionId]);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await asking(bearer(second.accessToken))).status).toBe(200);
  });

  it('ends the whole session if used again: the new pair, too', async () => {
    const first = await login();
    const second = (await refresh(first.refreshToken)).body;
    expect((await asking(bearer(second.accessToken))).status).toBe(200);
    expect((await refresh(first.refreshToken)).status).toBe(401);
    expect((await refresh(second.refreshToken)).status).toBe(401);
    expect((await asking(bearer(second.accessToken))).status).toBe(401);
    expect((await asking(bearer(first.accessToken))).status).toBe(401);
  });

  it.each(['', 'nonsense', '../../../etc/passwd', 'x'.repeat(10_000)])('that is invalid is refused', async (token) => {
    expect([400, 401]).toContain((await refresh(token)).status);
  });
});

describe('a publish without credentials', () => {
  it('is refused before its body is read: invalid JSON is 401, not 400', async () => {
    const path = '/tenants/t/namespaces/n/topics/t/events';
    expect((await anonymous.post(path, '{"type":', { 'content-type': 'application/json' })).status).toBe(401);
  });
});

describe('too many logins', () => {
  it('are 429 with Retry-After, long before a password could be guessed', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) {
      const answer = await anonymous.post('/auth/login', { email: 'victim@example.test', password: `guess ${i}` });
      statuses.push(answer.status);
      if (answer.status !== 429) continue;
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      break;
    }
    expect(statuses.at(-1)).toBe(429);
    expect((await asking({ 'x-api-key': app.apiKey })).status).toBe(200);
  });
});
