import type { LookupAddress } from 'node:dns';
import { AddressPolicy } from './address-policy.js';
import { Egress } from './egress.js';
import { LookUps } from './look-ups.js';
import type { Resolver } from './name-resolver.js';
import { CheckedResolver } from './checked-resolver.js';

const rules = { allowedCidrs: [], allowHttp: false };
const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const answering =
  (...addresses: string[]): Resolver =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
const failing: Resolver = () => Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }));
const broken: Resolver = () => Promise.reject(new Error('was asked'));

describe('checking a URL when it is saved', () => {
  it('refuses a name as soon as one of its addresses is not allowed, without revealing which', async () => {
    const egress = new Egress({ ...rules, resolver: answering('93.184.216.34', '169.254.169.254') });
    const refusal = egress.checkUrl('https://shop.example/hook', 'a', '/url');
    await expect(refusal).rejects.toMatchObject({
      code: 'webhook-address-refused',
      extensions: { errors: [{ pointer: '/url' }] },
    });
    await expect(refusal).rejects.not.toThrow(/169\.254/);
  });

  it('accepts a name whose addresses are all public', async () => {
    const egress = new Egress({ ...rules, resolver: answering('93.184.216.34', '2606:4700:4700::1111') });
    await expect(egress.checkUrl('https:\\\\Shop.Example\\hook', 'a')).resolves.toBe('https://shop.example/hook');
  });

  it('accepts a name that does not resolve yet', async () => {
    await expect(new Egress({ ...rules, resolver: failing }).checkUrl('https://soon.example/', 'a')).resolves.toMatch(
      /^https:/,
    );
    await expect(
      new Egress({ ...rules, resolver: answering() }).checkUrl('https://soon.example/', 'a'),
    ).resolves.toMatch(/^https:/);
  });

  it('refuses localhost with the resolver of this machine', async () => {
    await expect(new Egress(rules).checkUrl('https://localhost/', 'a')).rejects.toMatchObject({
      code: 'webhook-address-refused',
    });
  });

  it('checks a literal without resolving anything', async () => {
    const egress = new Egress({ ...rules, allowedCidrs: ['127.0.0.0/8'], resolver: broken });
    await expect(egress.checkUrl('https://127.0.0.1/', 'a')).resolves.toMatch(/^https:/);
    await expect(egress.checkUrl('https://10.0.0.1/', 'a')).rejects.toMatchObject({ code: 'webhook-address-refused' });
  });
});

describe('resolving for a connection', () => {
  const policy = new AddressPolicy(rules);
  const asking = { share: 'a' };

  it('gives up on a resolver that does not respond', async () => {
    const resolver = new CheckedResolver(policy, new LookUps(() => new Promise(() => undefined), { timeoutMs: 20 }));
    await expect(resolver.resolve('slow.example', asking)).rejects.toMatchObject({
      name: 'ConnectFailure',
      phase: 'dns',
    });
  });

  it('asks once for a name while a result is pending, and again after it', async () => {
    let asked = 0;
    let answer!: (addresses: LookupAddress[]) => void;
    const lookUps = new LookUps(() => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    });
    const resolver = new CheckedResolver(policy, lookUps);
    const first = [resolver.resolve('a.example', asking), resolver.resolve('a.example', asking)];
    expect(asked).toBe(1);
    answer([v4('93.184.216.34')]);
    await expect(Promise.all(first)).resolves.toEqual([[v4('93.184.216.34')], [v4('93.184.216.34')]]);
    const second = resolver.resolve('a.example', asking);
    expect(asked).toBe(2);
    answer([v4('10.0.0.1')]);
    await expect(second).rejects.toMatchObject({ phase: 'refused' });
  });

  it('calls sockets back in the form they ask for', async () => {
    const resolver = new CheckedResolver(policy, new LookUps(answering('93.184.216.34', '2606:4700:4700::1111')));
    const asked = (all: boolean): Promise<unknown[]> =>
      new Promise((resolve) =>
        resolver.onBehalfOf(asking, () => resolver.lookup('shop.example', { all }, (...answer) => resolve(answer))),
      );
    const addresses = [v4('93.184.216.34'), { address: '2606:4700:4700::1111', family: 6 }];
    await expect(asked(true)).resolves.toEqual([null, addresses]);
    await expect(asked(false)).resolves.toEqual([null, '93.184.216.34', 4]);
  });
});
