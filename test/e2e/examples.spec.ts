import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EXAMPLE } from '../../src/platform/http/examples.js';
import { AnswerSchemas } from '../support/checks/answer-schemas.js';
import { startApp, type TestApp } from '../support/server/app.js';
import { must, type Answer, type Client } from '../support/api/client.js';
import { ExampleSender, inOrder, shownRequests, type ShownRequest } from '../support/api/example-sender.js';
import { MailServer } from '../support/api/mail-server.js';
import { routesOf, type ApiDocument, type Route } from '../support/api/openapi.js';
import { bearer, environmentWith, type Tokens } from '../support/api/people.js';

const DEMO = join(import.meta.dirname, '../../scripts/demo.mjs');
/** Headers that a response may only have if the document says so. */
const TOLD = ['location', 'etag', 'idempotent-replayed', 'ratelimit', 'ratelimit-policy', 'content-disposition'];

interface Header {
  readonly $ref?: string;
  readonly required?: boolean;
}
interface Shown {
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}
type Body = Record<string, unknown> & { readonly id: string };

let mail: MailServer;
let app: TestApp;
let document: ApiDocument;
let schemas: AnswerSchemas;
let sender: ExampleSender;
let session: Client;
const faults: string[] = [];
const sent = new Set<string>();

beforeAll(async () => {
  mail = await MailServer.start();
  app = await startApp({ env: environmentWith(mail) });
  document = (await app.client.get<ApiDocument>('/openapi.json')).body;
  schemas = new AnswerSchemas(document);
  const { PATH } = process.env;
  const env = { PATH, BASE_URL: app.url, API_KEY: app.apiKey };
  await promisify(execFile)(process.execPath, [DEMO, '--keep=acme'], { env });
  await must(app.client, 'POST', '/tenants/acme/groups', { id: EXAMPLE.nestedGroupId });
  await must(app.client, 'POST', '/tenants', { id: 'gone' });
  await must(app.client, 'POST', '/tenants/gone/namespaces', { id: 'shop' });
  await must(app.client, 'DELETE', '/tenants/gone?force=true');
  const deletions = await must<{ items: Body[] }>(app.client, 'GET', '/tenant-deletions');
  sender = new ExampleSender(app.client, new Map([[EXAMPLE.deletionId, deletions.items[0]!.id]]), () => session);
}, 60_000);
afterAll(async () => {
  await app?.stop();
  await mail?.stop();
});

const grants = new Map<string, string>();

/** Learns the names that the server has given from a response. */
function learn({ operation: { operationId } }: Route, body: Body): void {
  if (operationId === 'createUser') sender.names.set(EXAMPLE.userId, body.id);
  else if (operationId === 'createApiKey') sender.names.set(EXAMPLE.keyId, body.id);
  else if (/^create(System)?Grant$/.test(operationId)) grants.set(operationId.slice('create'.length), body.id);
  else if (operationId === 'login') enter(body as unknown as Tokens);
}

/** Creates what requests need and no example creates. */
async function prepare({ operation: { operationId } }: Route): Promise<void> {
  const [grant] = /(System)?Grant$/.exec(operationId) ?? [];
  if (grant) sender.names.set(EXAMPLE.grantId, grants.get(grant) ?? '');
  if (operationId === 'logout' || operationId === 'endSession') {
    const { email } = bodyOf('login');
    enter(
      await must(app.client.with({}), 'POST', '/auth/login', { email, password: bodyOf('changePassword').newPassword }),
    );
  }
  if (operationId === 'resetPassword') sender.names.set(bodyOf(operationId).token!, await newResetToken());
  if (operationId === 'deleteNamespace') {
    await must(app.client, 'DELETE', '/tenants/acme/namespaces/shop/consumers/accounting');
    await must(app.client, 'DELETE', '/tenants/acme/namespaces/shop/topics/invoices');
  }
  if (operationId === 'deleteTenant') await must(app.client, 'DELETE', '/tenants/acme/namespaces/billing');
}

async function newResetToken(): Promise<string> {
  const tokens = (): string[] => mail.mails.flatMap(({ text }) => /epr_[\w-]{43}/.exec(text) ?? []);
  const before = tokens().length;
  await sender.send({ route: routeOf('sendPasswordReset'), mediaType: undefined, body: undefined });
  while (tokens().length === before) await mail.received(mail.mails.length + 1);
  return tokens().at(-1)!;
}

function enter({ accessToken, refreshToken, sessionId }: Tokens): void {
  session = app.client.with(bearer(accessToken));
  sender.names.set(bodyOf('refreshTokens').refreshToken!, refreshToken);
  sender.names.set(EXAMPLE.sessionId, sessionId);
}

const routeOf = (operationId: string): Route =>
  routesOf(document).find((route) => route.operation.operationId === operationId)!;
const bodyOf = (operationId: string): Record<string, string> =>
  routeOf(operationId).operation.requestBody!.content['application/json']!.example as Record<string, string>;

async function tryOut(request: ShownRequest): Promise<void> {
  const { route } = request;
  await prepare(route);
  const answer = await sender.send(request);
  sent.add(route.operation.operationId);
  const said = `${route.name} ${request.mediaType ?? ''}: ${answer.status}`;
  if (answer.status >= 300) return void faults.push(`${said} ${answer.text}`);
  learn(route, answer.body as Body);
  faults.push(...faultsOf(route, answer).map((fault) => `${said} ${fault}`));
}

/** Differences between a response and the document. */
function faultsOf(route: Route, { status, headers, text, body }: Answer<unknown>): string[] {
  const shown = route.operation.responses[status] as Shown | undefined;
  if (!shown) return ['is not described'];
  const type = headers.get('content-type')?.split(';')[0];
  const described = Object.entries(shown.headers ?? {});
  const names = described.map(([name]) => name.toLowerCase());
  const required = described.filter(([, header]) => resolved(header).required).map(([name]) => name);
  return [
    ...required.filter((name) => !headers.has(name)).map((name) => `lacks the header ${name}`),
    ...TOLD.filter((name) => headers.has(name) && !names.includes(name)).map((name) => `has a header ${name}`),
    ...(text === '' && shown.content ? ['has no body'] : []),
    ...(text !== '' && !shown.content?.[type!] ? [`has an undescribed body of ${type}`] : []),
    ...(body === undefined ? [] : schemas.faults(placeOf(route, status, type!), body)),
  ];
}

const placeOf = ({ path, method }: Route, status: number, type: string): string[] => [
  'paths',
  path,
  method.toLowerCase(),
  'responses',
  String(status),
  'content',
  type,
  'schema',
];

const resolved = ({ $ref, ...header }: Header): Header =>
  $ref === undefined
    ? header
    : ((document.components as { headers?: Record<string, Header> }).headers![$ref.split('/').at(-1)!] ?? {});

describe('the examples of the document, sent unchanged to a server with the data of the demo', () => {
  it('are all accepted, with responses as documented', async () => {
    for (const route of inOrder(routesOf(document)))
      for (const request of shownRequests(route)) {
        if (route.operation.operationId === 'readEvents') await readInAllForms(request);
        await tryOut(request);
      }
    expect(faults).toEqual([]);
    expect(sent.size).toBe(routesOf(document).length);
  }, 60_000);

  it('are checked: a planted body that lacks a field, and one that has too many, are found', () => {
    const place = placeOf(routeOf('getGroup'), 200, 'application/json');
    const group = {
      id: 'a',
      name: 'A',
      version: 1,
      createdAt: '2026-11-30T09:00:00Z',
      updatedAt: '2026-11-30T09:00:00Z',
    };
    expect(schemas.faults(place, group)).toEqual([]);
    expect(schemas.faults(place, { ...group, version: 1.5 })).toEqual(['/version must be integer']);
    expect(schemas.faults(place, { ...group, owner: 'me' })).toEqual([expect.stringContaining('owner')]);
  });
});

/** One event on each line, and live. */
async function readInAllForms(request: ShownRequest): Promise<void> {
  const lines = (await sender.send(request, 'application/x-ndjson')).text.trim().split('\n');
  const live = await firstMessage(sender.address(request.route));
  for (const [type, event] of [
    ['application/x-ndjson', lines[0]!],
    ['text/event-stream', live],
  ] as const) {
    const place = [...placeOf(request.route, 200, type), 'contentSchema'];
    faults.push(...schemas.faults(place, JSON.parse(event)).map((fault) => `${type}: ${fault}`));
  }
}

async function firstMessage(path: string): Promise<string> {
  const ended = new AbortController();
  const from = `${path}?after=beginning`;
  const response = await app.client.open('GET', from, undefined, { accept: 'text/event-stream' }, ended.signal);
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^data: (.*)\n\n/m.exec(text);
    if (data) {
      ended.abort();
      return data[1]!;
    }
  }
  throw new Error(`no message in ${text}`);
}
