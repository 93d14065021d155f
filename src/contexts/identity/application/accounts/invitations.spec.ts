import { jest } from '@jest/globals';
import { systemActor } from '../../../../kernel/aggregate.js';
import { Invitations } from './invitations.js';

type Parts = ConstructorParameters<typeof Invitations>;

const account = { userId: 'usr_1', email: 'jane@acme.example' };

/** The account is found or created immediately: the rest of the time does not come from there. */
function invitations(known: boolean): { readonly invited: Invitations; readonly writes: () => number } {
  let writes = 0;
  const accounts = {
    findByEmail: () => Promise.resolve(known ? account : undefined),
    creating: () => ({ stored: account }),
  } as unknown as Parts[0];
  const aggregates = { change: () => Promise.resolve(void writes++) } as unknown as Parts[1];
  return { invited: new Invitations(accounts, aggregates, {} as Parts[2], {} as Parts[3]), writes: () => writes };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the account for an invitation', () => {
  it.each([
    ['exists', true, 0],
    ['has to be created', false, 1],
  ])('is returned after the same time if it %s', async (_, known, expectedWrites) => {
    const { invited, writes } = invitations(known);
    let answered = false;
    const asked = invited.accountFor(account.email, systemActor('c')).then((found) => {
      answered = true;
      return found;
    });
    await jest.advanceTimersByTimeAsync(99);
    expect([writes(), answered]).toEqual([expectedWrites, false]);
    await jest.advanceTimersByTimeAsync(1);
    expect([answered, await asked]).toEqual([true, account]);
  });
});
