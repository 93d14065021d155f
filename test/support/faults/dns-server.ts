import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';

/**
 * The responses for a name: its IPv4 addresses, an error, or none at all. Names with IPv4 addresses have no IPv6 ones, except `lost-a`,
 * which has both and whose first query for IPv4 is lost.
 */
export type Zone = (name: string) => readonly string[] | 'silent' | 'silent-aaaa' | 'lost-a' | 'nxdomain' | 'servfail';

const A = 1;
const AAAA = 28;
const CODES = { servfail: 2, nxdomain: 3 } as const;
const LOOPBACK = '127.0.0.1';
const SOME_IPV6 = Buffer.from('20010db8000000000000000000000001', 'hex');

/** A DNS server on loopback, by UDP (RFC 1035), that records its queries. */
export class DnsServer {
  /** Names, once for each query. */
  readonly asked: string[] = [];
  private readonly lost = new Set<string>();
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly socket: Socket,
    private readonly zone: Zone,
    private readonly ttlSeconds: number,
  ) {
    socket.on('message', (question, sender) => this.take(question, sender));
  }

  static async start(zone: Zone, ttlSeconds = 0): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket, zone, ttlSeconds);
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  timesAsked(name: string): number {
    return this.asked.filter((other) => other === name).length;
  }

  /** Resolves when the queries so far are as the test wants. */
  async until(condition: (asked: readonly string[]) => boolean): Promise<void> {
    while (!condition(this.asked)) {
      await new Promise<void>((resolve) => this.waiting.add(resolve));
      await setImmediate();
    }
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  private take(question: Buffer, sender: RemoteInfo): void {
    const { name, type, end } = questionOf(question);
    this.asked.push(name);
    for (const wake of this.waiting) wake();
    this.waiting.clear();
    const known = this.zone(name.toLowerCase());
    if (known === 'silent' || (known === 'silent-aaaa' && type === AAAA)) return;
    if (known === 'lost-a' && type === A && !this.lost.has(name)) return void this.lost.add(name);
    const code = typeof known === 'string' && known in CODES ? CODES[known as keyof typeof CODES] : 0;
    const records = addressesOf(known, type).map((address) => this.record(type, address));
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    this.socket.send(Buffer.concat([head, question.subarray(12, end), ...records]), sender.port, sender.address);
  }

  /** The name is a pointer to that of the query. */
  private record(type: number, address: Buffer): Buffer {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(this.ttlSeconds, 6);
    head.writeUInt16BE(address.length, 10);
    return Buffer.concat([head, address]);
  }
}

function addressesOf(known: ReturnType<Zone>, type: number): Buffer[] {
  if (known === 'lost-a' && type === AAAA) return [SOME_IPV6];
  if (type !== A || known === 'servfail' || known === 'nxdomain') return [];
  return (typeof known === 'string' ? [LOOPBACK] : known).map((ip) => Buffer.from(ip.split('.').map(Number)));
}

function questionOf(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at]!; length > 0; length = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}
