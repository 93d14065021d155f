import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, Saga, type ICommand, type ICommandHandler } from '@nestjs/cqrs';
import { mergeMap, type Observable } from 'rxjs';
import { MANAGEMENT_TOPICS } from '../../src/kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../src/kernel/ids.js';
import { DurableSubscriptions } from '../../src/platform/event-log/index.js';
import {
  Due,
  dueFor,
  SagaBus,
  SagaFailures,
  subscriptionTo,
  type ManagementEvent,
} from '../../src/platform/sagas/index.js';
import { newEvent, openInstance, request, type Instance } from '../support/server/log.js';
import { createTestDatabase, type TestDatabase } from '../support/server/postgres.js';
import { sagaStage } from '../support/api/saga-stage.js';

const LOG = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };
const PLANTED = subscriptionTo('consumers', 'test:planted');

class Do extends Command<void> {
  constructor(readonly position: number) {
    super();
  }
}

/** What a test does for an event, and how long it takes. */
type WorkOfTest = (position: number, crashed: Promise<void>) => Promise<void>;

abstract class Work {
  abstract of(position: number): Promise<void>;
}

@CommandHandler(Do)
class DoHandler implements ICommandHandler<Do> {
  constructor(private readonly work: Work) {}

  execute({ position }: Do): Promise<void> {
    return this.work.of(position);
  }
}

@Injectable()
class PlantedSagas {
  @Saga()
  work(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(PLANTED),
      mergeMap(({ events }) => events.map(({ position }) => new Do(position))),
    );
  }
}

describe('events that a durable subscription feeds to sagas', () => {
  let store: TestDatabase;
  const running: { crash(): Promise<void> }[] = [];

  beforeEach(async () => void (store = await createTestDatabase()));
  afterEach(async () => {
    while (running[0]) await running[0].crash();
    await store.drop();
  });

  /** As the platform assembles it. A crash cuts it off from the store: what it has not written there is lost. */
  async function startProcess(
    work: WorkOfTest,
  ): Promise<{ reported: string[]; instance: Instance; crash(): Promise<void> }> {
    const instance = await openInstance(store.connection);
    const cutOff = Promise.withResolvers<void>();
    const of = (position: number): Promise<void> => work(position, cutOff.promise);
    const { module, reported } = await sagaStage([PlantedSagas, DoHandler, { provide: Work, useValue: { of } }]);
    await module.init();
    const bus = module.get(SagaBus);
    const failures = module.get(SagaFailures);
    const subscriptions = new DurableSubscriptions(
      instance.database,
      instance.tails,
      ({ name }, events, signal) => bus.settle(new Due(name, events, signal)),
      failures.reportRetry.bind(failures),
    );
    subscriptions.start(PLANTED);
    const crash = async (): Promise<void> => {
      running.splice(running.indexOf(process), 1);
      await instance.close();
      cutOff.resolve();
      await subscriptions.close();
    };
    const process = { reported, instance, crash };
    running.push(process);
    return process;
  }

  async function append({ appender }: Instance, count: number): Promise<void> {
    await appender.append(
      request(
        LOG,
        Array.from({ length: count }, () => newEvent()),
      ),
    );
  }

  it('come again if a command failed, before later ones', async () => {
    const done: number[] = [];
    const last = Promise.withResolvers<void>();
    const { instance, reported } = await startProcess(async (position) => {
      done.push(position);
      if (position === 2 && done.length < 4) throw new Error('not now');
      if (position === 3) last.resolve();
    });
    await append(instance, 3);
    await last.promise;
    expect(done).toEqual([1, 2, 2, 2, 3]);
    expect(reported).toEqual(['test:planted: not now', 'test:planted: not now']);
  });

  it('come again if the process ends before their command is done, and not once it is', async () => {
    const begun = Promise.withResolvers<void>();
    const first = await startProcess(async (position, crashed) => {
      if (position === 1) return;
      begun.resolve();
      await crashed;
    });
    await append(first.instance, 2);
    await begun.promise;
    await first.crash();

    const done: number[] = [];
    const last = Promise.withResolvers<void>();
    const second = await startProcess(async (position) => {
      done.push(position);
      if (position === 3) last.resolve();
    });
    await append(second.instance, 1);
    await last.promise;
    expect(done).toEqual([2, 3]);
  });
});
