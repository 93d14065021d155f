import { startInside, type TestApp } from '../support/server/app.js';
import { until, Workspace } from '../support/api/workspace.js';

let app: TestApp;
let modest: Workspace;
let greedy: Workspace;

beforeAll(async () => {
  // Inside the process of the test: its clients keep the event loop busy, too.
  app = await startInside();
  modest = await Workspace.create(app.client);
  greedy = await Workspace.create(app.client);
});
afterAll(() => app?.stop());

async function waiting(): Promise<number> {
  const { text } = await app.client.get('/metrics');
  return Number(/^event_store_requests_waiting (\d+)$/m.exec(text)?.[1]);
}

it('when tenants share a busy process, the requests of a flood wait for their turn, and all get a response', async () => {
  const answers = new Set<string>();
  const flood = new AbortController();
  const publish = async (shop: Workspace): Promise<void> => {
    while (!flood.signal.aborted) {
      const { status, body } = await shop.tryPublish({ type: 't', data: 0 });
      answers.add(`${status} ${body.code ?? ''}`);
    }
  };
  // The modest one is always active, or nothing would be shared.
  const clients = [...Array.from({ length: 200 }, () => greedy), ...Array.from({ length: 5 }, () => modest)].map(
    publish,
  );
  await until(waiting, (count) => count > 0).finally(() => flood.abort());
  await Promise.all(clients);
  expect(answers).toEqual(new Set(['201 ']));
  expect(await waiting()).toBe(0);
});
