import type { LookupAddress } from 'node:dns';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const PLACE =
  process.platform === 'win32'
    ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32\\drivers\\etc\\hosts')
    : '/etc/hosts';

type Names = ReadonlyMap<string, readonly LookupAddress[]>;

/** The names of hosts(5) on this machine. The file is read again when it has changed. */
export class HostsFile {
  private stamp = '';
  private names: Names = new Map();

  constructor(private readonly file = PLACE) {}

  /** `name` in lower case; undefined: it is not in the file. */
  async addressesOf(name: string): Promise<readonly LookupAddress[]> {
    const found = await stat(this.file).catch(() => undefined);
    const stamp = found ? `${found.ino} ${found.mtimeMs} ${found.size}` : '';
    if (stamp !== this.stamp) {
      this.names = parseHosts(await readFile(this.file, 'utf8').catch(() => ''));
      this.stamp = stamp;
    }
    return this.names.get(name) ?? [];
  }
}

/** A name may appear in several lines; each adds an address. Invalid addresses are skipped, as the C library does. */
export function parseHosts(text: string): Names {
  const names = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of new Set(aliases.map((alias) => alias.toLowerCase()))) {
      const known = names.get(name) ?? [];
      names.set(name, [...known.filter((other) => other.address !== address), { address, family }]);
    }
  }
  return names;
}
