import { readEnvironment } from './environment-layer.js';
import { loadSettings } from './load-settings.js';
import { Problems, SettingsError } from './problems.js';
import { flatten } from './settings-table.js';

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  const problems = new Problems();
  readEnvironment(env, flatten(), new Map(), problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    return (error as SettingsError).problems;
  }
  return [];
}

describe('the environment', () => {
  it('overrides the files; an empty variable counts as not set', () => {
    const env = {
      PORT: '4000',
      HOST: '',
      DELIVERY_ALLOWED_CIDRS: '10.0.0.0/8, fd00::/8',
      DELIVERY_ALLOW_HTTP: 'false',
    };
    const { http, delivery } = loadSettings({ env });
    expect(http).toMatchObject({ port: 4_000, host: '127.0.0.1' });
    expect(delivery).toMatchObject({ allowedCidrs: ['10.0.0.0/8', 'fd00::/8'], allowHttp: false });
  });

  it('names roles once each, and at least one', () => {
    expect(loadSettings({ env: { ROLES: 'worker,worker' } }).roles).toEqual(['worker']);
    expect(() => loadSettings({ env: { ROLES: ',' } })).toThrow('roles (ROLES) must name at least 1');
  });

  it('takes a public URL to which paths can be appended', () => {
    const publicUrlOf = (url: string): unknown => loadSettings({ env: { PUBLIC_URL: url } }).http.publicUrl;
    expect(publicUrlOf('https://events.example.com/store/')).toBe('https://events.example.com/store');
    expect(publicUrlOf('http://localhost:8080')).toBe('http://localhost:8080');
    for (const url of ['events.example.com', 'ftp://a.b', 'https://u:p@a.b', 'https://a.b?c=d']) {
      expect(() => publicUrlOf(url)).toThrow('(PUBLIC_URL) must be a URL');
    }
  });

  it.each([
    ['DELIVERY_ALLOWED_CIDR', 'DELIVERY_ALLOWED_CIDRS'],
    ['PUBLISH_EVENTS_BYTES_MAX', 'PUBLISH_EVENT_BYTES_MAX'],
    ['ADMIN_PASSWORD_FIEL', 'ADMIN_PASSWORD_FILE'],
    ['HTTP_STREAM_MAX', 'HTTP_STREAMS_MAX'],
    ['APPEND_CONNECTION', 'APPEND_CONNECTIONS'],
    ['HTTP_PORT', 'PORT'],
    ['EVENT_STORE_DATA_DIR', 'DATA_DIR'],
  ])('suggests for %s that %s was meant', (misspelt, meant) => {
    expect(problemsOf({ [misspelt]: '1' })).toEqual([`${misspelt} is not a known setting; did you mean ${meant}?`]);
  });

  it('reports an unknown variable with a prefix of ours as a mistake, even without a similar one', () => {
    expect(problemsOf({ DELIVERY_RETRY_ATTEMPTS: '1' })).toEqual(['DELIVERY_RETRY_ATTEMPTS is not a known setting']);
  });

  it('ignores the variables of others', () => {
    expect(problemsOf({ HTTP_PROXY: 'http://proxy', READ_ONLY: '1', HTTP_USER_AGENT: 'x', PATH: '/bin' })).toEqual([]);
  });

  it('ignores what Kubernetes sets for services with names like ours', () => {
    const links = {
      DELIVERY_SERVICE_HOST: '10.0.0.1',
      DELIVERY_SERVICE_PORT: '80',
      DELIVERY_SERVICE_PORT_WEB: '80',
      DELIVERY_PORT: 'tcp://10.0.0.1:80',
      EVENT_STORE_PORT_80_TCP: 'tcp://10.0.0.1:80',
      EVENT_STORE_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf(links)).toEqual([]);
    expect(problemsOf({ EVENT_STORE_PORT: '4000' })).toEqual([expect.stringContaining('did you mean PORT?')]);
  });
});
