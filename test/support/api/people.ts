import { randomBytes } from 'node:crypto';
import type { TestApp } from '../server/app.js';
import type { Answer, Client, Problem, RequestHeaders } from './client.js';
import type { MailServer } from './mail-server.js';

export interface User {
  readonly id: string;
  readonly kind: 'human' | 'service';
  readonly email: string | null;
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly version: number;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresIn: number;
  readonly sessionId: string;
  readonly user: User;
}

export const bearer = (token: string): RequestHeaders => ({ authorization: `Bearer ${token}` });

/** The server trusts this header for the address of a client: see `environmentWith`. */
export const from = (address: string): RequestHeaders => ({ 'x-forwarded-for': address });

let lastAddress = 0;
/** A client at an address that no other test of this worker uses, since the server counts by addresses. */
export function stranger(): RequestHeaders {
  const [file, n] = [globalThis.fileNumber, ++lastAddress];
  return from(`${20 + (file >> 8)}.${file & 255}.${n >> 8}.${n & 255}`);
}

/** Settings of a server that sends its mail there and is behind a proxy. */
export const environmentWith = (mail: MailServer): Record<string, string> => ({
  MAIL_URL: mail.url,
  MAIL_FROM: 'store@example.test',
  PUBLIC_URL: 'https://store.example.test',
  HTTP_TRUST_PROXY: '127.0.0.0/8,::1/128',
});

let made = 0;

/** A person with an account, and what they do with it. Each test has its own people. */
export class Person {
  private constructor(
    readonly anonymous: Client,
    readonly user: User,
    readonly email: string,
    public password: string,
  ) {}

  static async create(app: Pick<TestApp, 'client'>, given: { name?: string } = {}): Promise<Person> {
    const email = `p${++made}.${randomBytes(4).toString('hex')}@example.test`;
    const password = newPassword();
    const answer = await app.client.post<User>('/users', { email, password, ...given });
    if (answer.status !== 201) throw new Error(`Expected 201, got ${answer.status}: ${answer.text}`);
    return new Person(app.client.with({}), answer.body, email, password);
  }

  tryLogin(password = this.password, headers: RequestHeaders = {}): Promise<Answer<Tokens & Problem>> {
    return this.anonymous.post('/auth/login', { email: this.email, password }, headers);
  }

  async login(headers: RequestHeaders = {}): Promise<Tokens> {
    const answer = await this.tryLogin(this.password, headers);
    if (answer.status !== 200) throw new Error(`Expected 200, got ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  refresh({ refreshToken }: Pick<Tokens, 'refreshToken'>): Promise<Answer<Tokens & Problem>> {
    return this.anonymous.post('/auth/refresh', { refreshToken });
  }

  /** The status of a request with the access token. */
  async status({ accessToken }: Pick<Tokens, 'accessToken'>): Promise<number> {
    return (await this.anonymous.get('/auth/me', bearer(accessToken))).status;
  }
}

/** A person, and a client with their session. */
export interface Human {
  readonly user: User;
  readonly login: Client;
}

export async function loggedIn(app: Pick<TestApp, 'client'>): Promise<Human> {
  const person = await Person.create(app);
  return { user: person.user, login: app.client.with(bearer((await person.login(stranger())).accessToken)) };
}

export const newPassword = (): string => `pw ${randomBytes(12).toString('hex')}`;
