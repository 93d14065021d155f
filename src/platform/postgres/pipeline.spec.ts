import type { PoolClient, QueryResult } from 'pg';
import type { PersistentConnections } from './persistent-connections.js';
import { Pipeline } from './pipeline.js';

/** Lends connections and notes how each ends; a statement completes when the test says so. */
class FakeConnections {
  hasWaiting = false;
  readonly fate: string[] = [];
  readonly sent: {
    readonly text: string;
    readonly connection: number;
    readonly answer: PromiseWithResolvers<QueryResult>;
  }[] = [];
  private lent = 0;

  async use(work: (client: PoolClient) => Promise<void>): Promise<void> {
    const connection = this.lent++;
    const query = (text: string): Promise<QueryResult> => {
      const answer = Promise.withResolvers<QueryResult>();
      this.sent.push({ text, connection, answer });
      return answer.promise;
    };
    await work({ query } as unknown as PoolClient).then(
      () => this.fate.push('returned'),
      () => this.fate.push('discarded'),
    );
  }
}

const RESULT = { rowCount: 1 } as QueryResult;
const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

let connections: FakeConnections;
let pipeline: Pipeline;
beforeEach(() => {
  connections = new FakeConnections();
  pipeline = new Pipeline(connections as unknown as PersistentConnections);
});

it('sends the next statement over the connection of the one in flight', async () => {
  const answers = [pipeline.query('first'), pipeline.query('second')];
  expect(connections.sent.map(({ text, connection }) => [text, connection])).toEqual([
    ['first', 0],
    ['second', 0],
  ]);
  for (const { answer } of connections.sent) answer.resolve(RESULT);
  expect(await Promise.all(answers)).toEqual([RESULT, RESULT]);
});

it('completes each as its result arrives, and returns the connection when none is in flight', async () => {
  const [first, second] = [pipeline.query('first'), pipeline.query('second')];
  connections.sent[0]!.answer.resolve(RESULT);
  expect(await first).toBe(RESULT);
  expect(connections.fate).toEqual([]);
  connections.sent[1]!.answer.resolve(RESULT);
  await second;
  await turnOfTheLoop();
  expect([connections.fate, pipeline.mayFollow]).toEqual([['returned'], false]);
});

it('may be followed only while a statement is in flight and no caller waits for a connection', () => {
  expect(pipeline.mayFollow).toBe(false);
  void pipeline.query('first');
  expect(pipeline.mayFollow).toBe(true);
  connections.hasWaiting = true;
  expect(pipeline.mayFollow).toBe(false);
});

it.each([
  ['returns', Object.assign(new Error('duplicate key'), { code: '23505' }), 'returned'],
  ['discards', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'discarded'],
])('%s a connection after an error like this: %s', async (_, error, fate) => {
  const [first, second] = [pipeline.query('first'), pipeline.query('second')];
  connections.sent[0]!.answer.reject(error);
  connections.sent[1]!.answer.resolve(RESULT);
  await expect(first).rejects.toBe(error);
  expect(await second).toBe(RESULT);
  await turnOfTheLoop();
  expect(connections.fate).toEqual([fate]);
});

it('rejects if there is no connection', async () => {
  connections.use = () => Promise.reject(new Error('connect ECONNREFUSED'));
  await expect(pipeline.query('first')).rejects.toThrow('ECONNREFUSED');
  expect(pipeline.mayFollow).toBe(false);
});
