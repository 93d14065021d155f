import { globSync } from 'node:fs';
import { join } from 'node:path';
import { MODULE_METADATA } from '@nestjs/common/constants.js';
import type { ICommand } from '@nestjs/cqrs';
import { MANAGEMENT_TOPICS, type Aggregate, type DomainEvent } from '../../src/kernel/aggregate.js';
import type { Subscription } from '../../src/platform/event-log/index.js';
import { logOf, Missed, subscriptionTo, type ManagementEvent } from '../../src/platform/sagas/index.js';
import { commandOf, commandsOf, due, noticed, recorded, sagasOf, type SagaClass } from '../support/api/sagas.js';

/** No cache depends on these: they are always read from the store. */
const CONCERN_NO_CACHE = [
  'consumer.configured',
  'consumer.paused',
  'consumer.registered',
  'consumer.resumed',
  'consumer.runs-on-changed',
  'consumer.topics-added',
  'consumer.topics-removed',
  'namespace.created',
  'namespace.renamed',
  'topic.created',
  'topic.described',
];

/** What the files of a kind export, by name. */
async function exportsOf(pattern: string): Promise<[string, unknown][]> {
  const root = join(import.meta.dirname, '../../src/contexts');
  const files = globSync(pattern, { cwd: root, exclude: ['**/*.spec.ts'] });
  // One after the other: what they share waits for Nest (see test/support/server/nestjs-prometheus.mjs).
  const modules: object[] = [];
  for (const file of files) modules.push((await import(join(root, file))) as object);
  return modules.flatMap((module) => Object.entries(module));
}

type AnyAggregate = Aggregate<unknown, DomainEvent, unknown>;
const isAggregate = (value: unknown): value is AnyAggregate => value instanceof Object && 'eventTypes' in value;

const aggregates = (await exportsOf('*/domain/*.ts')).map(([, value]) => value).filter(isAggregate);
const ofSagas = await exportsOf('*/application/*.sagas.ts');
const sagas = ofSagas.flatMap(([, value]) => (typeof value === 'function' ? [value as SagaClass] : []));
const subscriptions = ofSagas.flatMap(([, value]) => (Array.isArray(value) ? (value as Subscription[]) : []));
const providers = (await exportsOf('*/*.module.ts')).flatMap(
  ([, module]) => (Reflect.getMetadata(MODULE_METADATA.PROVIDERS, module as object) as unknown[] | undefined) ?? [],
);

const after = (event: ManagementEvent): ICommand[] => sagas.flatMap((Sagas) => commandsOf(Sagas, event));

interface Told {
  readonly topicUid: string;
  readonly type: string;
}

const typesOf = (known: readonly Pick<AnyAggregate, 'topicUid' | 'eventTypes'>[]): Told[] =>
  known.flatMap(({ topicUid, eventTypes }) => Object.keys(eventTypes).map((type) => ({ topicUid, type })));

const whenNoticed = ({ topicUid, type }: Told): ICommand[] => after(noticed(logOf(topicUid), type));
const whenDue = (subscription: Subscription): ICommand[] =>
  typesOf(aggregates.filter(({ topicUid }) => topicUid === subscription.log.topicUid)).flatMap(({ topicUid, type }) =>
    after(due([subscription], logOf(topicUid), recorded(type))),
  );

/** Types of events that no saga reacts to when they are noticed. */
const unheard = (told: readonly Told[]): string[] =>
  told.filter((one) => whenNoticed(one).length === 0).map(({ type }) => type);

describe('sagas', () => {
  it('react to every type of management event, except those that concern no cache', () => {
    expect(unheard(typesOf(aggregates)).toSorted()).toEqual(CONCERN_NO_CACHE);
  });

  it('are checked: a type that none of them reacts to is reported', () => {
    const told = [...typesOf(aggregates), { topicUid: MANAGEMENT_TOPICS.topics, type: 'topic.planted' }];
    expect(unheard(told).toSorted()).toEqual([...CONCERN_NO_CACHE, 'topic.planted'].toSorted());
  });

  it('handle every durable subscription, whose checkpoint would otherwise advance without effect', () => {
    expect(subscriptions.length).toBeGreaterThanOrEqual(7);
    const planted = subscriptionTo('topics', 'planted');
    const untaken = [...subscriptions, planted].filter((subscription) => whenDue(subscription).length === 0);
    expect(untaken).toEqual([planted]);
  });

  it('are provided by the module of their context, as are the handlers of their commands', () => {
    expect(sagas.filter((Sagas) => sagasOf(Sagas).length === 0 || !providers.includes(Sagas))).toEqual([]);
    const handled = providers.map(commandOf);
    const commands = [...typesOf(aggregates).flatMap(whenNoticed), ...subscriptions.flatMap(whenDue)];
    const classes = new Set([...commands, ...after(new Missed())].map(({ constructor }) => constructor));
    expect(classes.size).toBeGreaterThanOrEqual(10);
    expect([...classes].filter((command) => !handled.includes(command))).toEqual([]);
  });
});
