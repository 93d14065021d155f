import { createPublicKey, createSecretKey, generateKeyPairSync, sign } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { SECRET_KEY, sharedApp } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { encodedPart, signedToken } from '../support/faults/forged-tokens.js';
import { bearer, newPassword, Person, type Tokens, type User } from '../support/api/people.js';
import { sendRaw } from '../support/faults/raw-http.js';

const FAST_MS = 1_000;

const app = await sharedApp();
let anonymous: Client;
let person: Person;
let tokens: Tokens;

beforeAll(async () => {
  anonymous = app.client.with({});
});
beforeEach(async () => {
  person = await Person.create(app);
  tokens = await person.login();
});

const statusesOf = (all: readonly Tokens[]): Promise<number[]> => Promise.all(all.map((one) => person.status(one)));

describe('an access token', () => {
  it('that is forged in any way gets 401, fast', async () => {
    const own = new KeyRing(Buffer.from(SECRET_KEY)).key('access-tokens');
    const { header, payload } = jwt.decode(tokens.accessToken, { complete: true })!;
    const claims = payload as jwt.JwtPayload;
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({
      type: 'spki',
      format: 'pem',
    });
    const [head, body, signature] = tokens.accessToken.split('.') as [string, string, string];
    const none = encodedPart({ alg: 'none', typ: 'at+jwt' });
    const rs256 = `${encodedPart({ ...header, alg: 'RS256' })}.${body}`;
    const later = Math.floor(Date.now() / 1_000) + 3_600;
    const jku = { ...header, jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/', jwk: { kty: 'oct', k: '' } };
    const forged: readonly (readonly [string, string])[] = [
      ['alg none', `${none}.${body}.`],
      ['alg none with a signature', `${none}.${body}.${signature}`],
      ['alg NoNe', `${encodedPart({ ...header, alg: 'NoNe' })}.${body}.`],
      ['RS256 by a key of its own', `${rs256}.${sign('sha256', Buffer.from(rs256), privateKey).toString('base64url')}`],
      ['HS256 by a public key', signedToken(header, claims, createSecretKey(Buffer.from(pem)))],
      ['an empty key', signedToken(header, claims, createSecretKey(Buffer.alloc(0)))],
      ['a kid that is a path', signedToken({ ...header, kid: '../../../dev/null' }, claims, own)],
      ['a kid that is SQL', signedToken({ ...header, kid: "x' UNION SELECT 'key' --" }, claims, own)],
      ['a kid that is an object', signedToken({ ...header, kid: {} }, claims, own)],
      ['a kid of the prototype', signedToken({ ...header, kid: '__proto__' }, claims, own)],
      ['a jku, with a key that it names', signedToken(jku, claims, createSecretKey(Buffer.alloc(32)))],
      ['no exp', signedToken(header, { ...claims, exp: undefined }, own)],
      ['an exp that is a text', signedToken(header, { ...claims, exp: `${later}` }, own)],
      ['an exp that is past', signedToken(header, { ...claims, exp: 1 }, own)],
      ['an nbf in the future', signedToken(header, { ...claims, nbf: later }, own)],
      ['another aud', signedToken(header, { ...claims, aud: 'else' }, own)],
      ['a list of aud', signedToken(header, { ...claims, aud: ['else'] }, own)],
      ['another iss', signedToken(header, { ...claims, iss: 'else' }, own)],
      ['another typ', signedToken({ ...header, typ: 'JWT' }, claims, own)],
      ['no typ', signedToken({ ...header, typ: undefined }, claims, own)],
      ['claims that are null', `${head}.${encodedPart([])}.${signature}`],
      ['a refresh token', tokens.refreshToken],
      ['a dot behind it', `${tokens.accessToken}.`],
      ['no signature', `${head}.${body}`],
      ['two with a comma', `${tokens.accessToken},${tokens.accessToken}`],
      ['two with a space', `${tokens.accessToken} ${tokens.accessToken}`],
      ['many dots', '.'.repeat(4_000)],
    ];
    expect(await person.status(tokens)).toBe(200);
    for (const [what, token] of forged) {
      const begin = performance.now();
      const { status, body: refusal } = await anonymous.get('/auth/me', bearer(token));
      expect([what, status, refusal.code]).toEqual([what, 401, 'unauthenticated']);
      expect(performance.now() - begin).toBeLessThan(FAST_MS);
    }
    expect([400, 401]).toContain((await person.refresh({ refreshToken: tokens.accessToken })).status);
  });

  it('of a megabyte, or in two headers, is refused on the wire, fast', async () => {
    const ask = (...lines: string[]) =>
      sendRaw(app.url, `GET /auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('\r\n')}\r\n\r\n`);
    const one = `Authorization: Bearer ${tokens.accessToken}`;
    const begin = performance.now();
    expect((await ask(one)).status).toBe(200);
    expect((await ask(`Authorization: Bearer ${'x'.repeat(12_000)}`)).status).toBe(401);
    // A header of that size is cut off before it is a request: the response may get lost with the connection.
    expect([0, 431]).toContain((await ask(`Authorization: Bearer ${'x'.repeat(1_000_000)}`)).status);
    for (const other of ['Authorization: Bearer nonsense', one, 'authorization:'])
      expect([other, (await ask(one, other)).status, (await ask(other, one)).status]).toEqual([other, 401, 401]);
    expect((await ask(one, `X-API-Key: ${app.apiKey}`)).status).toBe(401);
    expect(performance.now() - begin).toBeLessThan(5 * FAST_MS);
  });

  it('of a deleted user is not valid for a later user with the same e-mail and password', async () => {
    const { user, email, password } = person;
    await app.client.delete(`/users/${user.id}`);
    const { body: next } = await app.client.post<User>('/users', { email, password });
    expect(next.id).not.toBe(user.id);
    expect(await person.status(tokens)).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
    const fresh = await person.login();
    expect(fresh.user.id).toBe(next.id);
    const listed = await anonymous.get<{ items: { id: string }[] }>('/auth/sessions', bearer(fresh.accessToken));
    expect(listed.body.items.map(({ id }) => id)).toEqual([fresh.sessionId]);
  });
});

describe('a refresh token', () => {
  it('used twenty times at once has one successor; used again later it ends the whole session', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => person.refresh(tokens)));
    const successors = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refreshToken));
    expect(successors.size).toBe(1);
    const [successor] = successors;
    const next = await person.refresh({ refreshToken: successor! });
    expect([next.status, await person.status(next.body)]).toEqual([200, 200]);
    expect((await person.refresh(tokens)).status).toBe(401);
    expect((await person.refresh(next.body)).status).toBe(401);
    expect(await person.status(next.body)).toBe(401);
  });

  it.each([
    ['a suspension', () => app.client.post(`/users/${person.user.id}/suspend`, {})],
    [
      'a suspension and an activation',
      async () => {
        await app.client.post(`/users/${person.user.id}/suspend`, {});
        return app.client.post(`/users/${person.user.id}/activate`);
      },
    ],
    ['a logout', () => anonymous.post('/auth/logout', undefined, bearer(tokens.accessToken))],
    ['a deletion', () => app.client.delete(`/users/${person.user.id}`)],
    [
      'a change of the password in another session',
      async () => {
        const { accessToken } = await person.login();
        const body = { currentPassword: person.password, newPassword: newPassword() };
        return anonymous.post('/auth/password/change', body, bearer(accessToken));
      },
    ],
  ])('is 401 after %s, with its access token and its successors', async (_, happens) => {
    const second = (await person.refresh(tokens)).body;
    expect(await statusesOf([tokens, second])).toEqual([200, 200]);
    expect((await happens()).status).toBeLessThan(300);
    expect(await statusesOf([tokens, second])).toEqual([401, 401]);
    for (const one of [second, tokens]) expect((await person.refresh(one)).status).toBe(401);
  });
});

describe('a session', () => {
  it('has an id that the server generates at the login: ids from clients are refused or ignored', async () => {
    const { email, password } = person;
    for (const fixed of [{ sessionId: 'ses_mine' }, { sid: 'ses_mine' }, { id: 'ses_mine' }, { refreshToken: 'x' }])
      expect((await anonymous.post('/auth/login', { email, password, ...fixed })).status).toBe(400);
    const brought = { ...bearer(tokens.accessToken), cookie: `sid=${tokens.sessionId}`, 'x-session-id': 'ses_mine' };
    const after = await anonymous.post<Tokens>(`/auth/login?sid=${tokens.sessionId}`, { email, password }, brought);
    const ignored = after.status === 400 ? await person.login(brought) : after.body;
    expect(ignored.sessionId).toMatch(/^ses_[0-9a-z]{26}$/);
    expect(ignored.sessionId).not.toBe(tokens.sessionId);
    const stranger = await Person.create(app);
    const foreign = await stranger.login(brought);
    expect(foreign.sessionId).not.toBe(tokens.sessionId);
    expect((await anonymous.get<User>('/auth/me', bearer(foreign.accessToken))).body.id).toBe(stranger.user.id);
    expect(after.headers.get('set-cookie')).toBeNull();
  });
});
