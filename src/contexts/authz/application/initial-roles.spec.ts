import { systemActor } from '../../../kernel/aggregate.js';
import { noSuchUser, type MemberRef } from '../domain/member.js';
import { InitialRoles } from './initial-roles.js';

type Parts = ConstructorParameters<typeof InitialRoles>;

const tenant = { tenantId: 'acme', tenantUid: 'life-1' };

/** Who becomes the first owner, where putting in one of these users fails. */
async function firstOwner(owners: readonly string[], failures: Readonly<Record<string, Error>>): Promise<string[]> {
  const put: string[] = [];
  const change = (_: unknown, { userId }: MemberRef): Promise<void> => {
    const failure = failures[userId];
    if (failure) return Promise.reject(failure);
    put.push(userId);
    return Promise.resolve();
  };
  const members = { anyHolder: () => Promise.resolve(false) } as unknown as Parts[1];
  const aggregates = { change } as unknown as Parts[0];
  const roles = new InitialRoles(aggregates, members, {} as Parts[2], {} as Parts[3]);
  await roles.began(tenant, owners, systemActor('c'));
  return put;
}

describe('the first owner of a tenant', () => {
  it('is one: the first of those who are there', async () => {
    expect(await firstOwner(['usr_1', 'usr_2'], {})).toEqual(['usr_1']);
  });

  it('who is deleted at that moment leaves the tenant to the next', async () => {
    expect(await firstOwner(['usr_1', 'usr_2'], { usr_1: noSuchUser('usr_1') })).toEqual(['usr_2']);
  });

  it('holds up no other tenant, where none of them is there', async () => {
    expect(await firstOwner(['usr_1'], { usr_1: noSuchUser('usr_1') })).toEqual([]);
  });

  it('is put in again after every other failure', async () => {
    const failure = new Error('The store is away.');
    await expect(firstOwner(['usr_1', 'usr_2'], { usr_1: failure })).rejects.toBe(failure);
  });
});
