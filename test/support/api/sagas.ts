import { CommandHandler, Saga, type ICommand, type ISaga } from '@nestjs/cqrs';
import { from } from 'rxjs';
import { MANAGEMENT_TOPICS, type ManagementLog } from '../../../src/kernel/aggregate.js';
import type { StoredEvent, Subscription } from '../../../src/platform/event-log/index.js';
import { Due, Noticed, type ManagementEvent } from '../../../src/platform/sagas/index.js';

export type SagaClass = new () => object;

/** The metadata key under which Nest stores the decorator of a class; Nest does not export it. */
function keyOf(decorate: (one: SagaClass) => void): string {
  class One {}
  decorate(One);
  return Reflect.getMetadataKeys(One)[0] as string;
}

const SAGAS = keyOf((One) => Saga()(One.prototype, 'one'));
const HANDLED = keyOf((One) => CommandHandler(class {})(One));

export const sagasOf = (Sagas: SagaClass): string[] =>
  (Reflect.getMetadata(SAGAS, Sagas) as string[] | undefined) ?? [];

/** The command that a class handles; undefined: it is no handler. */
export const commandOf = (provider: unknown): unknown =>
  typeof provider === 'function' ? Reflect.getMetadata(HANDLED, provider) : undefined;

/** The commands of the sagas of a class for these events, saga by saga. They return at once. */
export function commandsOf(Sagas: SagaClass, ...events: readonly ManagementEvent[]): ICommand[] {
  const sagas = new Sagas() as Record<string, ISaga>;
  const commands: ICommand[] = [];
  for (const name of sagasOf(Sagas)) sagas[name]!(from(events)).subscribe((command) => commands.push(command));
  return commands;
}

const RECORDED = { id: 'evt_1', key: 'acme', stream: 'one', position: 1, recordedAt: 0, correlationId: 'c' };

/** An event of the log, as far as sagas read it. */
export const recorded = (type: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
  ({ ...RECORDED, data: '{}', type, ...fields }) as StoredEvent;

export const noticed = (log: ManagementLog, type: string, fields?: Partial<StoredEvent>): Noticed =>
  new Noticed(log, recorded(type, fields));

export const STOPPING = new AbortController().signal;

/** What the subscription of a context to this log passes on. */
export function due(
  subscriptions: readonly Subscription[],
  log: ManagementLog,
  ...events: readonly StoredEvent[]
): Due {
  const { name } = subscriptions.find((one) => one.log.topicUid === MANAGEMENT_TOPICS[log])!;
  return new Due(name, events, STOPPING);
}
