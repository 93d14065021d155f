import type { TestApp } from '../server/app.js';
import type { Client } from './client.js';

export interface Person {
  readonly userId: string;
  readonly keyId: string;
  /** With a key of the person, which is not limited. */
  readonly client: Client;
}

/** A user without any permission, and a key of theirs. */
export async function newPerson({ client }: Pick<TestApp, 'client'>): Promise<Person> {
  const user = await client.post<{ id: string }>('/users', { kind: 'service', name: 'Person' });
  if (user.status !== 201) throw new Error(user.text);
  const userId = user.body.id;
  const made = await client.post<{ id: string; key: string }>(`/users/${userId}/api-keys`, { name: 'key' });
  if (made.status !== 201) throw new Error(made.text);
  return { userId, keyId: made.body.id, client: client.with({ 'x-api-key': made.body.key }) };
}

/** A user with these roles in the tenant. */
export async function member(app: Pick<TestApp, 'client'>, tenant: string, ...roles: string[]): Promise<Person> {
  const person = await newPerson(app);
  const joined = await app.client.request('PUT', `/tenants/${tenant}/members/${person.userId}`, { roles });
  if (joined.status !== 200) throw new Error(joined.text);
  return person;
}
