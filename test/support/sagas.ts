import { Saga, type ICommand, type ISaga } from '@nestjs/cqrs';
import { from } from 'rxjs';
import { MANAGEMENT_TOPICS, type ManagementLog } from '../../src/kernel/aggregate.js';
import type { StoredEvent, Subscription } from '../../src/platform/event-log/index.js';
import { Due, Noticed, type ManagementEvent } from '../../src/platform/sagas/index.js';

export type SagaClass = new () => object;

/** Under which Nest keeps the names of a class's sagas; it does not say so. */
const [SAGAS] = (() => {
  class One {}
  Saga()(One.prototype, 'one');
  return Reflect.getMetadataKeys(One) as [string];
})();

export const sagasOf = (Sagas: SagaClass): string[] =>
  (Reflect.getMetadata(SAGAS, Sagas) as string[] | undefined) ?? [];

/** What the sagas of a class make of these events, saga by saga. They answer at once. */
export function commandsOf(Sagas: SagaClass, ...events: readonly ManagementEvent[]): ICommand[] {
  const sagas = new Sagas() as Record<string, ISaga>;
  const commands: ICommand[] = [];
  for (const name of sagasOf(Sagas)) sagas[name]!(from(events)).subscribe((command) => commands.push(command));
  return commands;
}

const RECORDED = { id: 'evt_1', key: 'acme', stream: 'one', position: 1, recordedAt: 0, correlationId: 'c' };

/** An event as the log has it, as far as sagas look at it. */
export const recorded = (type: string, fields: Partial<StoredEvent> = {}): StoredEvent =>
  ({ ...RECORDED, data: '{}', type, ...fields }) as StoredEvent;

export const noticed = (log: ManagementLog, type: string, fields?: Partial<StoredEvent>): Noticed =>
  new Noticed(log, recorded(type, fields));

export const STOPPING = new AbortController().signal;

/** What that subscription of a context which follows this log has come to. */
export function due(
  subscriptions: readonly Subscription[],
  log: ManagementLog,
  ...events: readonly StoredEvent[]
): Due {
  const { name } = subscriptions.find((one) => one.log.topicUid === MANAGEMENT_TOPICS[log])!;
  return new Due(name, events, STOPPING);
}
