import { startApp, type TestApp } from '../support/server/app.js';
import type { Answer, Client, Problem } from '../support/api/client.js';
import { MailServer } from '../support/api/mail-server.js';
import { bearer, environmentWith, newPassword, Person, stranger, type Tokens } from '../support/api/people.js';

let app: TestApp;
let mail: MailServer;
let anonymous: Client;

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({ env: environmentWith(mail) });
  anonymous = app.client.with({});
});
afterAll(() => Promise.all([app?.stop(), mail?.stop()]));

const login = (email: string, password: string): Promise<Answer<Tokens & Problem>> =>
  anonymous.post('/auth/login', { email, password }, stranger());
const change = (tokens: Tokens, currentPassword: string, next: string): Promise<Answer<Problem>> =>
  anonymous.post(
    '/auth/password/change',
    { currentPassword, newPassword: next },
    { ...bearer(tokens.accessToken), ...stranger() },
  );
const reset = (token: string, next: string): Promise<Answer<Problem>> =>
  anonymous.post('/auth/password/reset', { token, newPassword: next }, stranger());
const tokenFor = async (email: string): Promise<string> => {
  const before = mail.mails.length;
  await anonymous.post('/auth/password/reset-request', { email }, stranger());
  return /epr_[\w-]{43}/.exec((await mail.received(before + 1)).at(-1)!.text)![0];
};

describe('a password', () => {
  it.each([
    ['too short', 'fourteen chars'],
    ['among those that are tried first', 'qwerty123456789'],
    ['a short piece over and over', 'abcabcabcabcabcabc'],
    ['one letter over and over', 'aaaaaaaaaaaaaaaaaaaa'],
    ['a sequence', 'abcdefghijklmnopqrst'],
    ['beyond 256 characters', 'x1y2'.repeat(65)],
    ['with a lone surrogate', `a good password \ud800 indeed`],
    ['an object', { $ne: '' }],
    ['an array', ['a good password', 'or two of them']],
    ['true', true],
    ['a number', 123_456_789_012_345],
    ['null', null],
    ['empty', ''],
    ['a megabyte', 'x'.repeat(1_000_000)],
  ])('is refused if it is %s, for new users and for changes', async (_, password) => {
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    const answers = [
      await app.client.post('/users', { email: 'refused@example.test', password }),
      await change(tokens, person.password, password as string),
      await reset(await tokenFor(person.email), password as string),
    ];
    expect(answers.map(({ status }) => (status === 413 ? 400 : status))).toEqual([400, 400, 400]);
    expect((await login(person.email, person.password)).status).toBe(200);
  });

  it.each([
    ['72 and 73 bytes that differ at the end', 'y'.repeat(36) + 'z'.repeat(36), 'y'.repeat(36) + 'z'.repeat(36) + '!'],
    ['18 emoji and a tail', '🐎🔋🐴📎'.repeat(4) + '🐎🔋a', '🐎🔋🐴📎'.repeat(4) + '🐎🔋b'],
    ['NUL inside', 'before the nul\u0000 after', 'before the nul\u0000 other'],
    ['white space', ' leading and trailing ', 'leading and trailing'],
    ['NUL at the end', 'before the nul at the end\u0000', 'before the nul at the end'],
    ['case', 'Correct Horse Battery', 'correct horse battery'],
  ])('is hashed whole: %s', async (_, password, other) => {
    const { email } = await Person.create(app);
    expect((await reset(await tokenFor(email), password)).status).toBe(204);
    expect((await login(email, other)).status).toBe(401);
    expect((await login(email, password)).status).toBe(200);
  });

  it.each([
    ['a lone surrogate', `right until here \ud800`],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['an array', ['x']],
    ['an object', { $gt: '' }],
    ['a number', 1],
    ['null', null],
    ['true', true],
  ])('is refused for a login, and for confirming a change, if it is %s', async (_, password) => {
    const person = await Person.create(app);
    const tokens = await person.login(stranger());
    const answers = [
      await login(person.email, password as string),
      await change(tokens, password as string, newPassword()),
    ];
    expect(answers.map(({ status }) => (status === 413 ? 400 : status))).toEqual([400, 400]);
  });

  it('is the same in every form in which a keyboard composes it', async () => {
    const { email } = await Person.create(app);
    const password = 'crème brûlée à la carte';
    expect((await reset(await tokenFor(email), password.normalize('NFC'))).status).toBe(204);
    expect((await login(email, password.normalize('NFD'))).status).toBe(200);
    expect((await login(email, 'creme brulee a la carte')).status).toBe(401);
  });
});
