import { createSecretKey } from 'node:crypto';
import { replaceWeight, weightOf, type TenantHead } from './heads.js';

const key = createSecretKey(Buffer.alloc(32, 1));
const head = (tenantId: string, chain: string, retention = ''): TenantHead => ({ tenantId, chain, retention });
const sumOf = (heads: readonly TenantHead[]): bigint =>
  heads.reduce((sum, each) => replaceWeight(sum, 0n, weightOf(each, key)), 0n);

describe('the sum over heads', () => {
  const all = [head('a', '1'), head('b', '1'), head('c', '2', '1')];

  it('is the same in any order, and by exchanges as by addition', () => {
    expect(sumOf(all.toReversed())).toBe(sumOf(all));
    const next = head('b', '2');
    expect(replaceWeight(sumOf(all), weightOf(all[1]!, key), weightOf(next, key))).toBe(sumOf(all.with(1, next)));
  });

  it.each<[string, TenantHead[]]>([
    ['one is missing', all.slice(1)],
    ['one is there twice', [...all, all[0]!]],
    ['one is replaced', all.with(0, head('a', '2'))],
    ['two have changed places', [head('b', '1'), head('a', '2'), all[2]!]],
    ['the signature of the chain is used for the retention', all.with(2, head('c', '1', '2'))],
  ])('differs when %s', (_, heads) => {
    expect(sumOf(heads)).not.toBe(sumOf(all));
  });

  it('differs with another key, and stays within 256 bits', () => {
    expect(weightOf(all[0]!, createSecretKey(Buffer.alloc(32, 2)))).not.toBe(weightOf(all[0]!, key));
    expect(replaceWeight(0n, 1n, 0n)).toBe(2n ** 256n - 1n);
  });
});
