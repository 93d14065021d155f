const num = (v: string | undefined, d: number) => (v ? Number(v) : d);
class S { constructor(private readonly v: string) {} reveal() { return this.v; } }
export function loadSettings({ env }: { env: NodeJS.ProcessEnv }) {
  const secret = (v: string | undefined) => (v ? new S(v) : undefined);
  return {
    http: { port: num(env['PORT'], 3000), host: env['HOST'] ?? '127.0.0.1', bodyBytesMax: 262144, requestTimeoutMs: 30000, headersTimeoutMs: 10000, keepAliveMs: 72000, shutdownGraceMs: 10000, trustProxy: [] as readonly string[], streamsMax: 1000, publicUrl: undefined as string | undefined },
    storage: { dataDir: env['DATA_DIR'] ?? './data', databaseUrl: secret(env['DATABASE_URL']), databaseCaFile: undefined as string | undefined, poolSize: 10, appendConnections: 4, statementTimeoutMs: 10000, lockTimeoutMs: 2000 },
    admin: { email: env['ADMIN_EMAIL'] ?? 'admin@event-store.local', password: secret(env['ADMIN_PASSWORD']) },
    security: { secretKey: secret(env['SECRET_KEY']), accessTokenTtlSeconds: 600, refreshTokenTtlSeconds: 604800, bcryptCost: 12 },
    roles: ['api', 'worker'] as readonly ('api' | 'worker')[],
    log: { level: env['LOG_LEVEL'] ?? 'info' },
    publish: { eventBytesMax: 1048576, batchEventsMax: 1000, batchBytesMax: 10485760, queueEventsMax: 20000, queueBytesMax: 67108864 },
    read: { filterBudgetMs: 250 },
    delivery: { allowedCidrs: ['127.0.0.0/8', '::1/128'] as readonly string[], allowHttp: true, timeoutMs: 15000, connectTimeoutMs: 5000, checkpointIntervalMs: 100, leaseTtlMs: 6000, heartbeatMs: 2000, tailCacheBytes: 67108864 },
    telemetry: { metricsToken: undefined as S | undefined },
  };
}
export type Settings = ReturnType<typeof loadSettings>;
