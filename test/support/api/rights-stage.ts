import type { PinoLogger } from 'nestjs-pino';
import type { Action } from '../../../src/kernel/actions.js';
import { SYSTEM_TENANT } from '../../../src/kernel/ids.js';
import { DEFAULT_RETRY } from '../../../src/kernel/retry-policy.js';
import type { Aggregates, ManagementWatch, StoredEvent } from '../../../src/platform/event-log/index.js';
import type { StandingRights } from '../../../src/contexts/authz/index.js';
import type {
  ConsumerCatalog,
  ConsumerView,
  RunningConsumers,
} from '../../../src/contexts/consumers/application/ports.js';
import {
  consumerAggregate,
  deleteConsumer,
  reconfigureConsumer,
  registerConsumer,
  resumeConsumer,
  type ConsumerEvent,
  type ConsumerRef,
  type ConsumerState,
} from '../../../src/contexts/consumers/domain/consumer.js';
import { commandsOf, due } from './sagas.js';
import { RightsWorld, type RightsChange, type WrittenEvent } from './rights-world.js';

// Imported after Nest, which they require.
const { ConsumerRights } = await import('../../../src/contexts/consumers/application/consumer-rights.js');
const { ConsumerFollowers } = await import('../../../src/contexts/consumers/application/consumer-followers.js');
const { WithdrawRights } = await import('../../../src/contexts/consumers/application/withdraw-rights.js');
const { RecheckConsumers, RecheckConsumersHandler } =
  await import('../../../src/contexts/consumers/application/recheck-consumers.js');
const { CONSUMER_SUBSCRIPTIONS, ConsumersSagas } =
  await import('../../../src/contexts/consumers/application/consumers.sagas.js');

const SHOP = { tenantId: 'acme', namespaceId: 'shop' };
export const TOPICS = ['orders', 'returns'];
export const USERS = ['usr_0', 'usr_1', 'usr_2', 'usr_3'];
export const pathOf = (topicId: string): string => `tenants/acme/namespaces/shop/topics/${topicId}`;
const topic = (topicId: string) => ({ topicId, topicUid: topicId, startPosition: 0 });

type Log = 'permissions' | 'users' | 'consumers';
export type Step =
  | { kind: 'rights'; change: RightsChange }
  | { kind: 'suspend' | 'activate'; userId: string }
  | {
      kind: 'register' | 'resume' | 'redirect';
      userId: string;
      id: string;
      topics: string[];
      meanwhile: readonly Step[];
    }
  | { kind: 'delete'; id: string }
  | { kind: 'react'; log: Log };

/** The sagas and rules of the product, over a store in memory. */
export class RightsStage {
  readonly world = new RightsWorld();
  readonly consumers = new Map<string, ConsumerState>();
  private readonly suspended = new Set<string>();
  private readonly logs: Record<Log, StoredEvent[]> = { permissions: [], users: [], consumers: [] };
  private readonly judge: InstanceType<typeof RecheckConsumersHandler>;
  private readonly rights: InstanceType<typeof ConsumerRights>;

  /** Readers by a predefined role, by a grant, by a group and by a role of the tenant; the other group gives no such right. */
  constructor() {
    const allow = {
      kind: 'grant',
      tenantId: 'acme',
      effect: 'allow',
      resource: 'tenants/acme',
      constraints: null,
    } as const;
    this.world.change({ kind: 'assign', tenantId: 'acme', userId: 'usr_0', roleId: 'subscriber' });
    this.world.change({ ...allow, principal: { kind: 'user', id: 'usr_1' } });
    this.world.change({ ...allow, principal: { kind: 'group', id: 'g0' } });
    this.world.change({ kind: 'put', tenantId: 'acme', groupId: 'g0', part: 'user', id: 'usr_2' });
    this.world.change({ kind: 'redefine', tenantId: 'acme', roleId: 'own', actions: ['event:read'] });
    this.world.change({ kind: 'assign', tenantId: 'acme', userId: 'usr_3', roleId: 'own' });
    this.world.change({ ...allow, effect: 'deny', principal: { kind: 'group', id: 'g1' } });
    this.rights = new ConsumerRights(this.standing);
    const withdraw = new WithdrawRights(
      this.rights,
      {
        change: async (_: unknown, ref: ConsumerRef, __: unknown, decide: Decide) => this.apply(ref, decide),
      } as never as Aggregates,
      {} as ConsumerCatalog,
      new ConsumerFollowers(),
      { catchUp: () => Promise.resolve() } as ManagementWatch,
      { info: () => undefined } as unknown as PinoLogger,
    );
    this.judge = new RecheckConsumersHandler(this.running, withdraw);
  }

  mayRun(state: ConsumerState): boolean {
    if (state.status !== 'active') return true;
    const { runsOn, topics } = state;
    return topics.every(({ topicId }) => this.holds(runsOn, 'event:read', pathOf(topicId)));
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'rights':
        return this.tell('permissions', this.world.change(step.change));
      case 'suspend':
      case 'activate':
        this.suspended[step.kind === 'suspend' ? 'add' : 'delete'](step.userId);
        return this.tell(
          'users',
          { type: `user.${step.kind}${step.kind === 'suspend' ? 'ed' : 'd'}`, tenantId: SYSTEM_TENANT, data: {} },
          step.userId,
        );
      case 'delete':
        return this.change(step.id, (state, ref) => deleteConsumer(state, ref));
      case 'react':
        return this.react(step.log);
      default:
        return this.direct(step);
    }
  }

  /** Resolves when there is nothing left to react to. */
  async settle(): Promise<void> {
    while (Object.values(this.logs).some((log) => log.length > 0))
      for (const log of ['consumers', 'users', 'permissions'] as const) await this.react(log);
  }

  private async react(log: Log): Promise<void> {
    const page = this.logs[log].splice(0);
    if (page.length === 0) return;
    for (const command of commandsOf(ConsumersSagas, due(CONSUMER_SUBSCRIPTIONS, log, ...page)))
      if (command instanceof RecheckConsumers) await this.judge.execute(command);
  }

  /** A request is checked, then other things may happen, then it is carried out. */
  private async direct(step: Extract<Step, { userId: string; id: string }>): Promise<void> {
    const { kind, userId, id, topics, meanwhile } = step;
    if (this.suspended.has(userId)) return;
    const state = this.consumers.get(id);
    const named =
      kind !== 'resume' ? topics : state && state.status !== 'none' ? state.topics.map((one) => one.topicId) : [];
    const asking = { id: userId, kind: 'user', userId } as const;
    const refused = await this.rights.require(asking, SHOP, named).then(
      () => false,
      () => true,
    );
    if (refused) return;
    for (const other of meanwhile) await this.take(other);
    this.change(id, (now, ref) => {
      const subscriptions = topics.map(topic);
      if (kind === 'resume') return resumeConsumer(now, ref, userId);
      if (kind === 'redirect') return reconfigureConsumer(now, ref, { topics: subscriptions }, userId);
      const settings = { name: null, url: 'https://a.example', correlationId: 'c', headerNames: [], timeoutMs: 1_000 };
      const registration = {
        ...settings,
        retry: DEFAULT_RETRY,
        consumerUid: id,
        runsOn: userId,
        topics: subscriptions,
      };
      return registerConsumer(now, ref, registration);
    });
  }

  private change(
    consumerId: string,
    decide: (state: ConsumerState, ref: ConsumerRef) => readonly ConsumerEvent[],
  ): void {
    const ref = { ...SHOP, consumerId };
    try {
      this.apply(ref, (state) => decide(state, ref));
    } catch {
      // It does not exist, or exists already.
    }
  }

  private apply(ref: ConsumerRef, decide: Decide): void {
    const before = this.consumers.get(ref.consumerId) ?? consumerAggregate.initial;
    const events = decide(before);
    const after = events.reduce((now, event) => consumerAggregate.evolve(now, event, { recordedAt: 1 }), before);
    this.consumers.set(ref.consumerId, after);
    for (const { type, data } of events)
      this.tell('consumers', { type, tenantId: ref.tenantId, data }, consumerAggregate.streamOf(ref));
  }

  private tell(log: Log, told: WrittenEvent | undefined, stream?: string): void {
    if (!told) return;
    const { type, tenantId, data } = told;
    this.logs[log].push({
      type,
      key: tenantId,
      stream,
      data: JSON.stringify(data),
      id: 'evt',
    } as unknown as StoredEvent);
  }

  private holds(userId: string, action: Action, resource: string): boolean {
    return !this.suspended.has(userId) && this.world.holds(SHOP.tenantId, userId, action, resource);
  }

  private get standing(): StandingRights {
    const of = (userId: string) => ({
      holds: (action: Action, resource: string) => this.holds(userId, action, resource),
      touches: () => true,
    });
    return {
      ofCaller: async (_: string, { userId }: { userId: string }) => of(userId),
      ofUser: async (_: string, userId: string) => (this.suspended.has(userId) ? undefined : of(userId)),
    } as unknown as StandingRights;
  }

  private get running(): RunningConsumers {
    const views = (wanted: (view: ConsumerView) => boolean) => this.views(wanted);
    return {
      on: (userIds, tenantId) =>
        views((view) => userIds.includes(view.runsOn) && [null, view.tenantId].includes(tenantId)),
      in: (tenantId) => views((view) => [null, view.tenantId].includes(tenantId)),
      named: (_, paths) => views(({ namespaceId, consumerId }) => paths.includes(`${namespaceId}/${consumerId}`)),
    };
  }

  private async *views(wanted: (view: ConsumerView) => boolean): AsyncIterable<ConsumerView[]> {
    for (const [consumerId, state] of this.consumers) {
      if (state.status === 'none') continue;
      const view = { ...state, ...SHOP, consumerId } as ConsumerView;
      if (wanted(view)) yield [view];
    }
  }
}

type Decide = (state: ConsumerState) => readonly ConsumerEvent[];
