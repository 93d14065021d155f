import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Client, Payload, Problem, RequestHeaders } from './client.js';

export interface Published {
  readonly events: readonly {
    readonly id: string;
    readonly position: number;
    readonly duplicate: boolean;
    readonly streamVersion?: number;
  }[];
  readonly firstPosition: number;
  readonly lastPosition: number;
}

export interface ReadEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly position: number;
  readonly topic: string;
  readonly key?: string | null;
  readonly stream?: string | null;
  readonly streamVersion?: number | null;
  readonly time: string;
  readonly recordedAt: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly metadata?: unknown;
  readonly schemaVersion?: number;
  readonly publishedBy: unknown;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface Consumer {
  readonly id: string;
  readonly name: string | null;
  readonly url: string;
  readonly topics: readonly { readonly topic: string }[];
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly state: string;
  readonly pauseReason: string | null;
  readonly runsOn: { readonly user: string };
  readonly version: number;
  readonly secret?: string;
  readonly timeoutMs: number;
  readonly retry: Readonly<Record<string, unknown>>;
}

export interface TopicStatus {
  readonly topic: string;
  readonly lastEventId: string | null;
  readonly position: number;
  readonly lag: { readonly events: number; readonly seconds: number };
  readonly state: string;
  readonly attempt: number;
  readonly nextAttemptAt: string | null;
  readonly lastError: {
    readonly at: string;
    readonly phase: string;
    readonly status: number | null;
    readonly message: string;
  } | null;
  readonly gap: { readonly kind: string; readonly from: number; readonly to: number; readonly at: string } | null;
}

export interface ConsumerStatus {
  readonly state: string;
  readonly reason: string | null;
  readonly correlationId: string;
  readonly topics: readonly TopicStatus[];
}

/** Fast enough for a test, slow enough to be observed. */
export const QUICK_RETRY = { strategy: 'fixed', initialDelayMs: 20, maxDelayMs: 20, jitter: 0 } as const;

/** A tenant and a namespace for one test, and the usual actions in it. */
export class Workspace {
  private constructor(
    readonly client: Client,
    readonly tenant: string,
    readonly base: string,
  ) {}

  static async create(client: Client, topics: readonly string[] = ['orders']): Promise<Workspace> {
    const tenant = `t-${randomBytes(5).toString('hex')}`;
    await created(client.post('/tenants', { id: tenant, name: 'Acme' }));
    await created(client.post(`/tenants/${tenant}/namespaces`, { id: 'shop', name: 'Shop' }));
    const workspace = new Workspace(client, tenant, `/tenants/${tenant}/namespaces/shop`);
    for (const id of topics) await workspace.createTopic(id);
    return workspace;
  }

  /** The same workspace through another server or with other credentials. */
  through(client: Client): Workspace {
    return new Workspace(client, this.tenant, this.base);
  }

  async createTopic(id: string): Promise<void> {
    await created(this.client.post(`${this.base}/topics`, { id }));
  }

  events(topic = 'orders'): string {
    return `${this.base}/topics/${topic}/events`;
  }

  /** Returns the response, whatever it is. */
  tryPublish(body: Payload, headers: RequestHeaders = {}, topic = 'orders'): Promise<Answer<Published & Problem>> {
    return this.client.post<Published & Problem>(this.events(topic), body, headers);
  }

  /** Must succeed. */
  async publish(body: Payload, topic = 'orders', headers: RequestHeaders = {}): Promise<Published> {
    const answer = await this.tryPublish(body, headers, topic);
    if (answer.status !== 201) throw new Error(`Publish was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  /** Publishes `count` events with `data: {"n": 1 …}` and the ids `<prefix>1 …`, each in its own request, in order. */
  async publishMany(count: number, prefix = 'e', topic = 'orders'): Promise<void> {
    const events = Array.from({ length: count }, (_, i) => ({
      id: `${prefix}${i + 1}`,
      type: 'order.created',
      data: { n: i + 1 },
    }));
    for (const event of events) await this.publish(event, topic);
  }

  async read(query = '', topic = 'orders'): Promise<Page<ReadEvent>> {
    const answer = await this.client.get<Page<ReadEvent>>(`${this.events(topic)}${query}`);
    if (answer.status !== 200) throw new Error(`Reading was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  /** The whole topic, page by page. */
  async readAll(topic = 'orders'): Promise<ReadEvent[]> {
    const all: ReadEvent[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page<ReadEvent> = await this.read(
        `?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        topic,
      );
      all.push(...page.items);
      cursor = page.nextCursor;
    }
    return all;
  }

  async register(
    url: string,
    body: Readonly<Record<string, unknown>> = {},
  ): Promise<Consumer & { readonly secret: string }> {
    const asked = { url, topics: [{ topic: 'orders' }], retry: QUICK_RETRY, ...body };
    const answer = await this.client.post<Consumer & { secret: string }>(`${this.base}/consumers`, asked);
    if (answer.status !== 201) throw new Error(`Registration was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  consumer(id: string): string {
    return `${this.base}/consumers/${id}`;
  }

  async status(id: string): Promise<ConsumerStatus> {
    const answer = await this.client.get<ConsumerStatus>(`${this.consumer(id)}/status`);
    if (answer.status !== 200) throw new Error(`Status was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  async topicStatus(id: string, topic = 'orders'): Promise<TopicStatus> {
    return (await this.status(id)).topics.find((one) => one.topic === topic)!;
  }
}

/** A state that only HTTP shows has no signal to wait for: this asks until it is there, or fails with the last response. */
export async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean, withinMs = 15_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms; at last: ${JSON.stringify(answer)}`);
    await pause(15);
  }
}

async function created(answer: Promise<Answer<unknown>>): Promise<void> {
  const { status, text } = await answer;
  if (status !== 201) throw new Error(`Expected 201, got ${status}: ${text}`);
}
