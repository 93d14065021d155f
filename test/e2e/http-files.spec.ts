import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedApp } from '../support/server/app.js';
import { failuresOf, parseHttpFile, runHttpFile } from '../support/api/http-files.js';
import { WebhookReceiver } from '../support/api/webhook-receiver.js';

const DIRECTORY = join(import.meta.dirname, '../../docs/http');
const FILES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.http'));

const app = await sharedApp();

describe('the requests in docs/http', () => {
  let receiver: WebhookReceiver;
  let given: Record<string, string>;

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    const { url: host, apiKey, adminEmail, adminPassword } = app;
    given = { host, apiKey, adminEmail, adminPassword, receiver: receiver.url };
  });
  afterAll(() => receiver?.stop());

  it('exist for every part of the contract', () => {
    expect(FILES).toEqual(
      [
        'api-keys',
        'audit',
        'auth',
        'cloudevents',
        'consumers',
        'health',
        'permissions',
        'publishing',
        'reading',
        'tenancy',
        'topics',
        'users',
      ].map((name) => `${name}.http`),
    );
  });

  it.each(FILES)('of %s get the responses that they expect', async (name) => {
    const results = await runHttpFile(join(DIRECTORY, name), given);
    expect(results.length).toBeGreaterThanOrEqual(6);
    expect(failuresOf(results)).toEqual([]);
  });

  it.each(FILES)('of %s use variables for server and credentials', (name) => {
    const { variables, requests } = parseHttpFile(readFileSync(join(DIRECTORY, name), 'utf8'));
    const secrets = requests.flatMap(({ headers }) =>
      headers.filter(([header]) => /^(x-api-key|authorization)$/i.test(header)),
    );
    expect(variables.get('host')).toBe('http://127.0.0.1:3000');
    expect(secrets.filter(([, value]) => !value.includes('{{'))).toEqual([]);
  });

  it('are checked: an unexpected status is reported with its line', async () => {
    const [result] = await runHttpFile(join(DIRECTORY, 'health.http'), given);
    const wrong = { ...result!, status: 503 };
    expect(failuresOf([wrong])).toEqual([
      expect.stringContaining(`line ${result!.request.line}, The process lives: 503, not 200`),
    ]);
  });
});

describe('an .http file', () => {
  it('is parsed into variables and requests with name, headers and body', () => {
    const text =
      '@a = 1\n### One\n# @name one\n# @expect 201 409\nPOST {{a}}/x\nA: b\n\n{\n}\n\n### Two\n# @expect 200\nGET {{a}}\n';
    const { variables, requests } = parseHttpFile(text);
    expect([...variables]).toEqual([['a', '1']]);
    expect(requests).toEqual([
      {
        title: 'One',
        name: 'one',
        expected: [201, 409],
        method: 'POST',
        url: '{{a}}/x',
        headers: [['A', 'b']],
        body: '{\n}',
        line: 5,
      },
      {
        title: 'Two',
        name: undefined,
        expected: [200],
        method: 'GET',
        url: '{{a}}',
        headers: [],
        body: undefined,
        line: 13,
      },
    ]);
  });

  it.each([
    ['### No status\nGET /x\n', 'line 2: the request expects no status'],
    ['### Typo\n# @expect 200\nGTE /x\n', 'line 3: neither comment, variable nor request: GTE /x'],
    ['### Header\n# @expect 200\nGET /x\nno header\n', 'line 4: no header: no header'],
  ])('that is invalid is refused with the line: %j', (text, message) => {
    expect(() => parseHttpFile(text)).toThrow(message);
  });
});
