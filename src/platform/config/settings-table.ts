import {
  baseUrl,
  cidr,
  dnsServer,
  databaseUrl,
  email,
  flag,
  list,
  mailUrl,
  masterKey,
  oneOf,
  optional,
  secret,
  text,
  whole,
  type Parser,
} from './parsers.js';

export interface Setting<T = unknown> {
  /** The environment variable that overrides it. */
  readonly env: string;
  readonly parse: Parser<T>;
  /** `<env>_FILE` may name a file that contains it. */
  readonly secret?: true;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const setting = <T>(env: string, parse: Parser<T>): Setting<T> => ({ env, parse });
const secretSetting = <T>(env: string, parse: Parser<T>): Setting<T> => ({ env, parse, secret: true });

/** Every setting once: its place in the YAML files, its variable, its valid values. For its meaning and default see config/default.yaml. */
export const SETTINGS = {
  http: {
    port: setting('PORT', whole(0, 65_535)),
    host: setting('HOST', text(255)),
    publicUrl: setting('PUBLIC_URL', optional(baseUrl)),
    bodyBytesMax: setting('HTTP_BODY_BYTES_MAX', whole(4 * KIB, 10 * MIB)),
    requestTimeoutMs: setting('HTTP_REQUEST_TIMEOUT_MS', whole(1_000, 600_000)),
    headersTimeoutMs: setting('HTTP_HEADERS_TIMEOUT_MS', whole(500, 60_000)),
    keepAliveMs: setting('HTTP_KEEP_ALIVE_MS', whole(1_000, 600_000)),
    unreadTimeoutMs: setting('HTTP_UNREAD_TIMEOUT_MS', whole(1_000, 600_000)),
    unreadBytesMax: setting('HTTP_UNREAD_BYTES_MAX', whole(16 * MIB, 16_384 * MIB)),
    shutdownGraceMs: setting('HTTP_SHUTDOWN_GRACE_MS', whole(0, 600_000)),
    trustProxy: setting('HTTP_TRUST_PROXY', list(cidr)),
    streamsMax: setting('HTTP_STREAMS_MAX', whole(1, 100_000)),
    docs: setting('HTTP_DOCS', flag),
    keptAnswersBytesMax: setting('HTTP_KEPT_ANSWERS_BYTES_MAX', whole(MIB, 1024 * 1024 * MIB)),
  },
  storage: {
    dataDir: setting('DATA_DIR', text(1_024)),
    databaseUrl: secretSetting('DATABASE_URL', optional(databaseUrl)),
    databaseCaFile: setting('DATABASE_CA_FILE', optional(text(1_024))),
    poolSize: setting('DATABASE_POOL_SIZE', whole(2, 200)),
    appendConnections: setting('APPEND_CONNECTIONS', whole(1, 64)),
    statementTimeoutMs: setting('STATEMENT_TIMEOUT_MS', whole(500, 600_000)),
    lockTimeoutMs: setting('LOCK_TIMEOUT_MS', whole(100, 60_000)),
  },
  admin: {
    email: setting('ADMIN_EMAIL', email),
    password: secretSetting('ADMIN_PASSWORD', optional(secret(8))),
    weakPassword: setting('ADMIN_WEAK_PASSWORD', flag),
    apiKey: setting('ADMIN_API_KEY', flag),
  },
  security: {
    secretKey: secretSetting('SECRET_KEY', optional(masterKey)),
    secretKeyPrevious: secretSetting('SECRET_KEY_PREVIOUS', optional(masterKey)),
    accessTokenTtlSeconds: setting('ACCESS_TOKEN_TTL_SECONDS', whole(60, 86_400)),
    refreshTokenTtlSeconds: setting('REFRESH_TOKEN_TTL_SECONDS', whole(3_600, 31_536_000)),
    sessionTtlSeconds: setting('SESSION_TTL_SECONDS', whole(3_600, 31_536_000)),
    refreshRetrySeconds: setting('REFRESH_RETRY_SECONDS', whole(0, 60)),
    apiKeyMissesPerMinute: setting('API_KEY_MISSES_PER_MINUTE', whole(10, 1_000_000)),
    passwordLengthMin: setting('PASSWORD_LENGTH_MIN', whole(8, 64)),
    bcryptCost: setting('BCRYPT_COST', whole(10, 14)),
  },
  mail: {
    url: secretSetting('MAIL_URL', optional(mailUrl)),
    from: setting('MAIL_FROM', optional(email)),
    log: setting('MAIL_LOG', flag),
  },
  roles: setting('ROLES', list(oneOf('api', 'worker'), 1)),
  log: {
    level: setting('LOG_LEVEL', oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')),
  },
  publish: {
    eventBytesMax: setting('PUBLISH_EVENT_BYTES_MAX', whole(KIB, 10 * MIB)),
    batchEventsMax: setting('PUBLISH_BATCH_EVENTS_MAX', whole(1, 1_000)),
    batchBytesMax: setting('PUBLISH_BATCH_BYTES_MAX', whole(KIB, 10 * MIB)),
    queueEventsMax: setting('PUBLISH_QUEUE_EVENTS_MAX', whole(1, 1_000_000)),
    queueBytesMax: setting('PUBLISH_QUEUE_BYTES_MAX', whole(KIB, 1024 * MIB)),
  },
  read: {
    filterBudgetMs: setting('READ_FILTER_BUDGET_MS', whole(10, 5_000)),
  },
  delivery: {
    allowedCidrs: setting('DELIVERY_ALLOWED_CIDRS', list(cidr)),
    allowHttp: setting('DELIVERY_ALLOW_HTTP', flag),
    timeoutMs: setting('DELIVERY_TIMEOUT_MS', whole(100, 30_000)),
    connectTimeoutMs: setting('DELIVERY_CONNECT_TIMEOUT_MS', whole(100, 30_000)),
    dnsServers: setting('DELIVERY_DNS_SERVERS', list(dnsServer)),
    checkpointIntervalMs: setting('DELIVERY_CHECKPOINT_INTERVAL_MS', whole(10, 10_000)),
    heartbeatMs: setting('DELIVERY_HEARTBEAT_MS', whole(100, 60_000)),
    leaseTtlMs: setting('DELIVERY_LEASE_TTL_MS', whole(500, 300_000)),
    threads: setting('DELIVERY_THREADS', whole(0, 8)),
    tailCacheBytes: setting('DELIVERY_TAIL_CACHE_BYTES', whole(MIB, 16_384 * MIB)),
  },
  tenants: {
    namespacesMax: setting('TENANT_NAMESPACES_MAX', optional(whole(0, 1_000_000))),
    topicsMax: setting('TENANT_TOPICS_MAX', optional(whole(0, 1_000_000))),
    consumersMax: setting('TENANT_CONSUMERS_MAX', optional(whole(0, 1_000_000))),
    eventsPerSecondMax: setting('TENANT_EVENTS_PER_SECOND_MAX', optional(whole(0, 1_000_000_000))),
    storageBytesMax: setting('TENANT_STORAGE_BYTES_MAX', optional(whole(0, 999_999_999_999_999))),
  },
  audit: {
    retentionDays: setting('AUDIT_RETENTION_DAYS', whole(30, 3_650)),
  },
  telemetry: {
    metricsToken: secretSetting('METRICS_TOKEN', optional(secret(16))),
  },
} as const;

type Values<T> = T extends Setting<infer V> ? V : { readonly [K in keyof T]: Values<T[K]> };

export type Settings = Values<typeof SETTINGS>;

export type Table = { readonly [name: string]: Setting | Table };

export const isSetting = (entry: Setting | Table): entry is Setting => typeof (entry as Setting).parse === 'function';

/** All settings with their dotted paths. */
export function flatten(table: Table = SETTINGS, prefix = ''): Map<string, Setting> {
  const flat = new Map<string, Setting>();
  for (const [name, entry] of Object.entries(table)) {
    if (isSetting(entry)) flat.set(prefix + name, entry);
    else for (const [path, own] of flatten(entry, `${prefix}${name}.`)) flat.set(path, own);
  }
  return flat;
}
