import { systemActor } from '../../../kernel/aggregate.js';
import { noSuchUser, type MemberRef } from '../domain/member.js';
import { InitialRoles } from './initial-roles.js';

type Parts = ConstructorParameters<typeof InitialRoles>;

const tenant = { tenantId: 'acme', tenantUid: 'life-1' };

/** The first owner, where the role cannot be given to some of these users. */
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
  it('is the first of these users who exists', async () => {
    expect(await firstOwner(['usr_1', 'usr_2'], {})).toEqual(['usr_1']);
  });

  it('is the next user where the first is deleted at that moment', async () => {
    expect(await firstOwner(['usr_1', 'usr_2'], { usr_1: noSuchUser('usr_1') })).toEqual(['usr_2']);
  });

  it('does not hold up other tenants where none of the users exists', async () => {
    expect(await firstOwner(['usr_1'], { usr_1: noSuchUser('usr_1') })).toEqual([]);
  });

  it('is tried again after every other failure', async () => {
    const failure = new Error('The store is away.');
    await expect(firstOwner(['usr_1', 'usr_2'], { usr_1: failure })).rejects.toBe(failure);
  });
});
