import { jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { AuditFaults } from '../../../platform/audit/index.js';
import type { AuditChains } from './ports.js';
import { SealRecords } from './seal-records.js';

let looks = 0;
const chains = {
  unsealedTenants(): Promise<string[]> {
    looks++;
    return Promise.resolve([]);
  },
} as unknown as AuditChains;
let seal: SealRecords;

/** How often it looks meanwhile. */
async function looksDuring(ms: number): Promise<number> {
  const before = looks;
  await jest.advanceTimersByTimeAsync(ms);
  return looks - before;
}

beforeEach(() => {
  jest.useFakeTimers();
  seal = new SealRecords(chains, {} as AuditFaults, {} as PinoLogger);
  seal.start();
});
afterEach(async () => {
  await seal.close();
  jest.useRealTimers();
});

it('looks every second while there may be something to seal, and every ten after a time without records', async () => {
  expect(await looksDuring(10_000)).toBeGreaterThanOrEqual(10);
  await looksDuring(20_000);
  expect(await looksDuring(60_000)).toBe(6);
});

it('looks within a second after something was recorded, however long it has rested', async () => {
  await looksDuring(60_000);
  seal.onRecord();
  expect(await looksDuring(1_000)).toBe(2);
  expect(await looksDuring(10_000)).toBe(10);
});

it('ends while it rests', async () => {
  await looksDuring(60_000);
  await expect(seal.close()).resolves.toBeUndefined();
});
