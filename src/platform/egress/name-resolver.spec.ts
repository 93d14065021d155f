import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DnsServer, type Zone } from '../../../test/support/faults/dns-server.js';
import { HostsFile, parseHosts } from './hosts-file.js';
import { nameResolver, type Resolver } from './name-resolver.js';

const ZONE: Record<string, ReturnType<Zone>> = {
  'shop.example': ['93.184.216.34', '93.184.216.35'],
  'half.example': 'silent-aaaa',
  'lossy.example': 'lost-a',
  'broken.example': 'servfail',
  'silent.example': 'silent',
};
const never = new AbortController().signal;

let dns: DnsServer;
let directory: string;
let hosts: string;
let resolve: Resolver;

beforeEach(async () => {
  dns = await DnsServer.start((name) => ZONE[name] ?? 'nxdomain', 60);
  directory = await mkdtemp(join(tmpdir(), 'hosts-'));
  hosts = join(directory, 'hosts');
  await writeFile(hosts, '10.0.0.7 receiver Receiver.internal # ours\nfd00::7\treceiver\n127.0.0.2 local.test\n');
  resolve = nameResolver({ servers: [dns.address], hosts: new HostsFile(hosts) });
});
afterEach(async () => {
  await dns.stop();
  await rm(directory, { recursive: true });
});

describe('a name', () => {
  it('is looked up by DNS, with its time to live', async () => {
    expect(await resolve('shop.example', never)).toEqual(
      ['93.184.216.34', '93.184.216.35'].map((address) => ({ address, family: 4, ttlSeconds: 60 })),
    );
  });

  it('is taken from the hosts file first, whatever its case and with a trailing dot', async () => {
    const both = [
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ];
    expect(await resolve('receiver', never)).toEqual(both);
    expect(await resolve('RECEIVER.', never)).toEqual(both);
    expect(await resolve('receiver.internal', never)).toEqual([both[0]]);
    expect(dns.asked).toEqual([]);
  });

  it('follows changes of the hosts file', async () => {
    await resolve('receiver', never);
    await writeFile(hosts, '10.0.0.8 receiver\n');
    await utimes(hosts, 1, 1);
    expect(await resolve('receiver', never)).toEqual([{ address: '10.0.0.8', family: 4 }]);
    await rm(hosts);
    await expect(resolve('receiver', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('is loopback for localhost and names below it, without asking a server', async () => {
    for (const name of ['localhost', 'LocalHost.', 'some.localhost'])
      expect((await resolve(name, never)).map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
    expect(dns.asked).toEqual([]);
  });

  it('is looked up as it is: no search domain is appended', async () => {
    await expect(resolve('short', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(new Set(dns.asked)).toEqual(new Set(['short']));
  });

  it('resolves though its server never responds to AAAA', async () => {
    expect(await resolve('half.example', never)).toMatchObject([{ address: '127.0.0.1' }]);
  });

  it.each([
    [false, [4, 6]],
    [true, [6]],
  ])('is waited for until a reachable address is known: with IPv6 %s, these are %j', async (leads, families) => {
    const impatient = nameResolver({ servers: [dns.address], hosts: new HostsFile(hosts), routesIPv6: () => leads });
    expect((await impatient('lossy.example', never)).map(({ family }) => family)).toEqual(families);
  });

  it('fails with the code of the cause', async () => {
    await expect(resolve('missing.example', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolve('broken.example', never)).rejects.toMatchObject({ code: 'ESERVFAIL' });
  });

  it('is given up when the signal fires', async () => {
    const stop = new AbortController();
    const asked = resolve('silent.example', stop.signal);
    await dns.until((names) => names.length === 2);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ECANCELLED' });
    await expect(resolve('silent.example', stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

it('a hosts file is parsed as the C library parses it', () => {
  const names = parseHosts('# all\r\n127.0.0.1\tlocalhost  a\r\nnonsense b\n::1 localhost\n1.2.3.4\n9.9.9.9 # c\n');
  expect([...names]).toEqual([
    [
      'localhost',
      [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    ],
    ['a', [{ address: '127.0.0.1', family: 4 }]],
  ]);
});
