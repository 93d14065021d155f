import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { KeyRing } from '../../src/platform/crypto/keys.js';
import { SECRET_KEY, sharedApp, startProcess } from '../support/server/app.js';
import type { Client } from '../support/api/client.js';
import { signedToken } from '../support/faults/forged-tokens.js';
import { bearer, Person, type Tokens } from '../support/api/people.js';
import { createTestDatabase } from '../support/server/postgres.js';
import type { Page, ReadEvent } from '../support/api/workspace.js';

interface SessionView {
  readonly id: string;
  readonly current: boolean;
  readonly address: string;
  readonly userAgent: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
}

const keys = new KeyRing(Buffer.from(SECRET_KEY));
const app = await sharedApp();
let anonymous: Client;

beforeAll(async () => {
  anonymous = app.client.with({});
});

const sessionsOf = async ({ accessToken }: Tokens): Promise<readonly SessionView[]> =>
  (await anonymous.get<Page<SessionView>>('/auth/sessions', bearer(accessToken))).body.items;
const endsOf = async (sessionId: string): Promise<ReadEvent[]> => {
  const path = `/tenants/$system/namespaces/$management/topics/sessions/streams/${sessionId}`;
  const { status, body } = await app.client.get<Page<ReadEvent>>(path);
  return status === 200 ? [...body.items] : [];
};
const reasonsOf = async (sessionId: string): Promise<unknown[]> =>
  (await endsOf(sessionId)).map(({ data }) => (data as { reason: string }).reason);

/** A token as the server would sign it, with its own key, whatever the content. */
const signed = (header: object, claims: object, key: KeyObject = keys.key('access-tokens')): string =>
  signedToken(header, claims, key);

describe('the sessions of a user', () => {
  it('are listed with their address and client, the newest first', async () => {
    const person = await Person.create(app);
    const first = await person.login({ 'user-agent': 'one' });
    const second = await person.login({ 'user-agent': 'two' });
    const listed = await sessionsOf(second);
    expect(listed.map(({ id, current, userAgent }) => [id, current, userAgent])).toEqual([
      [second.sessionId, true, 'two'],
      [first.sessionId, false, 'one'],
    ]);
    expect(listed[0]).toMatchObject({ address: expect.stringMatching(/127\.0\.0\.1|::1/) });
    expect(Date.parse(listed[0]!.expiresAt) - Date.parse(listed[0]!.createdAt)).toBe(7 * 24 * 3_600_000);
    expect(JSON.stringify(listed)).not.toContain(second.refreshToken.slice(-43));
  });

  it('end one by one: the tokens of one stop working at once, those of the other remain valid', async () => {
    const person = await Person.create(app);
    const [mine, stolen] = [await person.login(), await person.login()];
    expect(await person.status(stolen)).toBe(200);
    expect((await anonymous.delete(`/auth/sessions/${stolen.sessionId}`, bearer(mine.accessToken))).status).toBe(204);
    expect(await person.status(stolen)).toBe(401);
    expect((await person.refresh(stolen)).status).toBe(401);
    expect(await person.status(mine)).toBe(200);
    expect((await sessionsOf(mine)).map(({ id }) => id)).toEqual([mine.sessionId]);
    expect(await reasonsOf(stolen.sessionId)).toEqual(['revoked']);
  });

  it('cannot be ended by other users: 404, as for unknown ones', async () => {
    const [one, other] = [await Person.create(app), await Person.create(app)];
    const [mine, theirs] = [await one.login(), await other.login()];
    for (const id of [theirs.sessionId, 'ses_none', '%20', '..%2f..']) {
      const answer = await anonymous.delete(`/auth/sessions/${id}`, bearer(mine.accessToken));
      expect([answer.status, answer.body.code]).toEqual([404, 'session-not-found']);
    }
    expect(await other.status(theirs)).toBe(200);
  });

  it('are limited to twenty: the oldest ends', async () => {
    const person = await Person.create(app);
    const all: Tokens[] = [];
    for (let n = 0; n < 22; n++) all.push(await person.login());
    expect(await sessionsOf(all.at(-1)!)).toHaveLength(20);
    expect(await Promise.all(all.slice(0, 3).map((tokens) => person.status(tokens)))).toEqual([401, 401, 200]);
    expect(await reasonsOf(all[0]!.sessionId)).toEqual(['too-many-sessions']);
  });

  it('have ids from the server, whatever the client sends', async () => {
    const person = await Person.create(app);
    for (const fixed of [{ sessionId: 'ses_mine' }, { sid: 'ses_mine' }])
      expect(
        (await anonymous.post('/auth/login', { email: person.email, password: person.password, ...fixed })).status,
      ).toBe(400);
    const tokens = await person.login({ cookie: 'sid=ses_mine; session=ses_mine' });
    expect(tokens.sessionId).toMatch(/^ses_[0-9a-z]{26}$/);
  });

  it('end with a logout: recorded once in the log, and a second logout is 401', async () => {
    const person = await Person.create(app);
    const tokens = await person.login();
    const logout = () => anonymous.post('/auth/logout', undefined, bearer(tokens.accessToken));
    expect((await logout()).status).toBe(204);
    expect((await logout()).status).toBe(401);
    expect((await endsOf(tokens.sessionId)).map(({ type, data }) => [type, data])).toEqual([
      ['session.ended', { sessionId: tokens.sessionId, userId: person.user.id, reason: 'logout' }],
    ]);
  });

  it('have no responses that may be cached, including refusals', async () => {
    const person = await Person.create(app);
    const tokens = await person.login();
    for (const { headers } of [
      await person.tryLogin(),
      await person.tryLogin('wrong'),
      await person.refresh(tokens),
      await anonymous.get('/auth/me', bearer(tokens.accessToken)),
      await anonymous.get('/auth/sessions'),
    ])
      expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('a refresh token', () => {
  it('used twenty times at once gives one successor, which works', async () => {
    const person = await Person.create(app);
    const first = await person.login();
    const answers = await Promise.all(Array.from({ length: 20 }, () => person.refresh(first)));
    const successors = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refreshToken));
    expect(successors.size).toBe(1);
    const next = await person.refresh({ refreshToken: [...successors][0]! });
    expect(next.status).toBe(200);
    expect(await person.status(next.body)).toBe(200);
  });

  it('returns the same successor again when the first response got lost', async () => {
    const person = await Person.create(app);
    const first = await person.login();
    const [lost, again] = [await person.refresh(first), await person.refresh(first)];
    expect(again.status).toBe(200);
    expect(again.body.refreshToken).toBe(lost.body.refreshToken);
  });

  it('ends the session once its successor was used, by refresh or by access token', async () => {
    for (const use of [
      (person: Person, tokens: Tokens) => person.refresh(tokens).then(({ status }) => status),
      (person: Person, tokens: Tokens) => person.status(tokens),
    ]) {
      const person = await Person.create(app);
      const first = await person.login();
      const second = (await person.refresh(first)).body;
      expect(await use(person, second)).toBe(200);
      expect((await person.refresh(first)).status).toBe(401);
      expect(await person.status(second)).toBe(401);
      expect((await person.refresh(second)).status).toBe(401);
      expect(await reasonsOf(first.sessionId)).toEqual(['refresh-token-reused']);
    }
  });

  it('from long ago ends the session, too', async () => {
    const person = await Person.create(app);
    const first = await person.login();
    let tokens = first;
    for (let n = 0; n < 4; n++) tokens = (await person.refresh(tokens)).body;
    expect((await person.refresh(first)).status).toBe(401);
    expect((await person.refresh(tokens)).status).toBe(401);
  });

  it('that is forged for the session of another user ends nothing', async () => {
    const person = await Person.create(app);
    const tokens = await person.login();
    const [, id, , secret] = /^esr_(ses_\w{26})_(\w+)_(.{43})$/.exec(tokens.refreshToken)!;
    const guess = createHmac('sha256', 'x').update(secret!).digest('base64url');
    for (const forged of [`esr_${id}_0_${guess}`, `esr_${id}_1_${secret}`, `esr_${id}_zzzzzzz_${secret}`])
      expect((await person.refresh({ refreshToken: forged })).status).toBe(401);
    expect(await person.status(tokens)).toBe(200);
    expect((await person.refresh(tokens)).status).toBe(200);
  });
});

describe('an access token', () => {
  it('names its key and its kind, contains no permissions, and is refused with any change', async () => {
    const person = await Person.create(app);
    const { accessToken } = await person.login();
    const { header, payload } = jwt.decode(accessToken, { complete: true })!;
    expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]{8}$/) });
    const claims = payload as jwt.JwtPayload;
    expect(Object.keys(claims).toSorted()).toEqual(
      ['aud', 'exp', 'iat', 'iss', 'jti', 'nbf', 'rot', 'sid', 'sub'].toSorted(),
    );
    expect(claims.exp! - claims.iat!).toBe(600);
    expect(await person.status({ accessToken: signed(header, claims) })).toBe(200);
    const now = claims.iat!;
    const forged: [string, string][] = [
      ['no expiry', signed(header, { ...claims, exp: undefined })],
      ['an expiry that is a text', signed(header, { ...claims, exp: '9999999999' })],
      ['an expiry a second ago', signed(header, { ...claims, exp: Math.floor(Date.now() / 1_000) - 1 })],
      ['a beginning in the future', signed(header, { ...claims, nbf: now + 3_600 })],
      ['another audience', signed(header, { ...claims, aud: 'other' })],
      ['another issuer', signed(header, { ...claims, iss: 'other' })],
      ['another user', signed(header, { ...claims, sub: 'usr_00000000000000000000000000' })],
      ['another session', signed(header, { ...claims, sid: 'ses_00000000000000000000000000' })],
      ['no session', signed(header, { ...claims, sid: undefined })],
      ['another type', signed({ ...header, typ: 'JWT' }, claims)],
      ['no key id', signed({ ...header, kid: undefined }, claims)],
      ['a key id that is a path', signed({ ...header, kid: '../../dev/null' }, claims)],
      ['a key id that is SQL', signed({ ...header, kid: "' OR 1=1 --" }, claims)],
      ['an algorithm that it is not signed by', signed({ ...header, alg: 'RS256' }, claims)],
      ['the algorithm none', signed({ ...header, alg: 'none' }, claims)],
      ['another key', signed(header, claims, createSecretKey(Buffer.alloc(32)))],
      ['a key of another purpose', signed(header, claims, keys.key('cursors'))],
      ['a dot behind it', `${accessToken}.`],
      ['a second one behind it', `${accessToken}, ${accessToken}`],
      ['a length beyond reason', signed(header, { ...claims, pad: 'x'.repeat(5_000) })],
    ];
    for (const [what, token] of forged) {
      const { status } = await anonymous.get('/auth/me', bearer(token));
      expect([what, status]).toEqual([what, 401]);
    }
  });

  it('signed with the previous key is accepted while SECRET_KEY_PREVIOUS names that, and passwords remain valid', async () => {
    const { connection, drop } = await createTestDatabase();
    const [old, young] = ['o'.repeat(40), 'y'.repeat(40)];
    const first = await startProcess({ connection, env: { SECRET_KEY: old } });
    const person = await Person.create(first);
    const tokens = await person.login();
    await first.stop();
    const rotated = await startProcess({
      connection,
      apiKey: first.apiKey,
      env: { SECRET_KEY: young, SECRET_KEY_PREVIOUS: old },
    });
    const there = rotated.client.with({});
    expect((await there.get('/auth/me', bearer(tokens.accessToken))).status).toBe(200);
    const refreshed = await there.post<Tokens>('/auth/refresh', { refreshToken: tokens.refreshToken });
    expect(refreshed.status).toBe(200);
    const { email, password } = person;
    const kid = (token: string): string => jwt.decode(token, { complete: true })!.header.kid!;
    expect(kid(refreshed.body.accessToken)).not.toBe(kid(tokens.accessToken));
    expect((await there.post('/auth/login', { email, password })).status).toBe(200);
    await rotated.stop();
    const forgotten = await startProcess({ connection, apiKey: first.apiKey, env: { SECRET_KEY: young } });
    const later = forgotten.client.with({});
    expect((await later.get('/auth/me', bearer(tokens.accessToken))).status).toBe(401);
    expect((await later.get('/auth/me', bearer(refreshed.body.accessToken))).status).toBe(200);
    // The earlier login has hashed the password again, with the new key.
    expect((await later.post('/auth/login', { email, password })).status).toBe(200);
    await forgotten.stop();
    await drop();
  });
});
