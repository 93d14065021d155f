import type { Problems } from './problems.js';
import type { Setting, Settings } from './settings-table.js';

/** A rule between settings. The message is about the first of `between`; `{1}` stands for the second. */
interface Rule {
  readonly between: readonly [string, string];
  readonly holds: (settings: Settings) => boolean;
  readonly demand: string;
}

const RULES: readonly Rule[] = [
  {
    between: ['security.secretKey', 'storage.databaseUrl'],
    holds: ({ security, storage }) => !storage.databaseUrl || security.secretKey !== undefined,
    demand: 'is required with {1}, and must be the same on all instances',
  },
  {
    // Two heartbeats fit into a lease, so that no worker loses its consumers if one is late.
    between: ['delivery.heartbeatMs', 'delivery.leaseTtlMs'],
    holds: ({ delivery }) => delivery.heartbeatMs * 2 < delivery.leaseTtlMs,
    demand: 'must be less than half of {1}',
  },
  {
    // Node refuses to create such a server.
    between: ['http.headersTimeoutMs', 'http.requestTimeoutMs'],
    holds: ({ http }) => http.headersTimeoutMs <= http.requestTimeoutMs,
    demand: 'must not be above {1}',
  },
  {
    between: ['security.refreshTokenTtlSeconds', 'security.sessionTtlSeconds'],
    holds: ({ security }) => security.refreshTokenTtlSeconds <= security.sessionTtlSeconds,
    demand: 'must not be above {1}',
  },
  {
    between: ['mail.from', 'mail.url'],
    holds: ({ mail }) => !mail.url || mail.from !== undefined,
    demand: 'is required with {1}: mails need a sender',
  },
  {
    // Never from a request: an attacker who forges its Host would get the links of others.
    between: ['http.publicUrl', 'mail.url'],
    holds: ({ http, mail }) => !mail.url || http.publicUrl !== undefined,
    demand: 'is required with {1}: mails name this server by it',
  },
  {
    between: ['publish.eventBytesMax', 'publish.batchBytesMax'],
    holds: ({ publish }) => publish.eventBytesMax <= publish.batchBytesMax,
    demand: 'must not be above {1}',
  },
];

/** Skips a rule if one of its settings is wrong by itself; `loaded` may lack such settings. */
export function crossCheck(loaded: object, settings: ReadonlyMap<string, Setting>, problems: Problems): void {
  const named = (path: string): string => `${path} (${settings.get(path)!.env})`;
  for (const { between, holds, demand } of RULES) {
    if (between.some((path) => problems.concerns(path)) || holds(loaded as Settings)) continue;
    problems.add(`${named(between[0])} ${demand.replace('{1}', named(between[1]))}`);
  }
}
