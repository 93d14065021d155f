import type { Answer, Client } from './client.js';

export interface ApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly state: string;
  readonly scopes: unknown;
  readonly actions: unknown;
  readonly allowedCidrs: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly rotatedAt: string | null;
  readonly previousExpiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly lastUsedFrom: string | null;
  readonly useCount: number;
  readonly version: number;
}
export type Issued = ApiKey & { readonly key: string };

export const DAY_MS = 86_400_000;
export const KEYS = '/users/me/api-keys';
/** Requests say where they come from, because the server trusts its proxy. */
export const PROXIED = { HTTP_TRUST_PROXY: '127.0.0.0/8,::1/128' };

export const keyPath = ({ id }: { id: string }): string => `${KEYS}/${id}`;
export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** The API keys of the user of the client. */
export class Keys {
  constructor(readonly client: Client) {}

  async create(body: object = {}): Promise<Issued> {
    const answer = await this.client.post<Issued>(KEYS, { name: 'k', ...body });
    if (answer.status !== 201) throw new Error(`Creation was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  async show(key: { id: string }): Promise<ApiKey> {
    return (await this.client.get<ApiKey>(keyPath(key))).body;
  }

  rotate(key: { id: string }, body?: object): Promise<Answer<Issued>> {
    return this.client.post<Issued>(`${keyPath(key)}/rotate`, body);
  }

  async revoke(...keys: readonly { id: string }[]): Promise<void> {
    for (const key of keys) await this.client.delete(keyPath(key));
  }

  /** The same server for a client with that key at that address. */
  as(key: string, from?: string): Client {
    return this.client.with({ 'x-api-key': key, ...(from === undefined ? {} : { 'x-forwarded-for': from }) });
  }

  /** The status of a request with the key. */
  async trying(key: string, from?: string): Promise<number> {
    return (await this.as(key, from).get('/auth/me')).status;
  }
}
