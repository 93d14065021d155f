import { startApp, type TestApp } from '../support/app.js';
import { until, Workspace } from '../support/workspace.js';

let app: TestApp;
let modest: Workspace;
let greedy: Workspace;

beforeAll(async () => {
  // In the process of the test: its clients keep the event loop busy, too.
  app = await startApp();
  modest = await Workspace.create(app.client);
  greedy = await Workspace.create(app.client);
});
afterAll(() => app?.stop());

async function waiting(): Promise<number> {
  const { text } = await app.client.get('/metrics');
  return Number(/^event_store_requests_waiting (\d+)$/m.exec(text)?.[1]);
}

it('where tenants share a busy process, the requests of a flood wait for their turn, and all are answered', async () => {
  const answers: Promise<string>[] = [];
  let open = 0;
  const publish = (shop: Workspace): void => {
    open++;
    answers.push(
      shop.tryPublish({ type: 't', data: 0 }).then(({ status, body }) => {
        open--;
        return `${status} ${body.code ?? ''}`;
      }),
    );
  };
  // Bounded: what a flood does to the queue of the log is another matter.
  const flood = (): void => {
    while (open < 400) publish(greedy);
    publish(modest);
  };
  const most = await until(
    () => {
      flood();
      return waiting();
    },
    (count) => count > 0,
  );
  expect(most).toBeGreaterThan(0);
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['201 ']));
  expect(await waiting()).toBe(0);
});
