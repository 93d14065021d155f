import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, EventBus, Saga, type ICommand, type ICommandHandler } from '@nestjs/cqrs';
import { map, mergeMap, throwError, type Observable } from 'rxjs';
import { sagaStage } from '../../../test/support/api/saga-stage.js';
import type { StoredEvent } from '../event-log/index.js';
import { Due, missed, Noticed, noticedIn, dueFor, subscriptionTo, type ManagementEvent } from './management-events.js';
import { SagaBus } from './saga-bus.js';

const WORK = subscriptionTo('users', 'test:work');

/** Recorded in `done` under `what`, at once or a turn later, unless it fails. */
class Note extends Command<void> {
  constructor(readonly what: string) {
    super();
  }
}

const done: string[] = [];
const failing = new Set<string>();

@CommandHandler(Note)
class NoteHandler implements ICommandHandler<Note> {
  async execute({ what }: Note): Promise<void> {
    if (failing.has(what)) throw new Error('planted in a command');
    if (what !== 'later') return void done.push(what);
    await turn();
    done.push(what);
  }
}

/** A saga gives a command for the stream of each event; some throw, or emit an error, at events of some types. */
@Injectable()
class PlantedSagas {
  @Saga()
  throwing(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('users'),
      mergeMap(({ event }) =>
        event.type === 'emitted' ? throwError(() => new Error('planted in a saga')) : [orThrow(event)],
      ),
    );
  }

  @Saga()
  well(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      noticedIn('users'),
      map(({ event }) => new Note(`${event.stream} too`)),
    );
  }

  @Saga()
  working(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      dueFor(WORK),
      mergeMap(({ events }) => events.map(orThrow)),
    );
  }

  @Saga()
  forgetting(events$: Observable<ManagementEvent>): Observable<ICommand> {
    return events$.pipe(
      missed,
      mergeMap(() => [new Note('all forgotten')]),
    );
  }
}

function orThrow({ type, stream }: StoredEvent): Note {
  if (type === 'planted') throw new Error('planted in a saga');
  return new Note(stream!);
}

const event = (stream: string, type = 'sound') => ({ type, stream }) as StoredEvent;
const noticed = (stream: string, type?: string) => new Noticed('users', event(stream, type));
const due = (...events: readonly StoredEvent[]) => new Due(WORK.name, events, new AbortController().signal);

async function open() {
  const { module, reported } = await sagaStage([PlantedSagas, NoteHandler]);
  return { bus: module.get(SagaBus), reported, module };
}

beforeEach(() => {
  done.splice(0);
  failing.clear();
});

describe('a noticed event', () => {
  it('has had its effect when the call returns, on the event bus of Nest', async () => {
    const { bus, module, reported } = await open();
    await module.init();
    expect(module.get(EventBus)).toBe(bus);
    bus.notice(noticed('one'));
    expect([done, reported]).toEqual([['one', 'one too'], []]);
    await module.close();
  });

  it.each([
    ['thrown', 'planted'],
    ['emitted an error', 'emitted'],
  ])('reaches the other sagas although one has %s, which is reported; and all caches are cleared', async (_, type) => {
    const { bus, module, reported } = await open();
    await module.init();
    for (let n = 0; n < 3; n++) bus.notice(noticed('one', type));
    expect(done).toEqual(Array.from({ length: 3 }, () => ['all forgotten', 'one too']).flat());
    expect(reported).toEqual(Array.from({ length: 3 }, () => 'throwing: planted in a saga'));
    bus.notice(noticed('two'));
    expect(done.slice(-2).toSorted()).toEqual(['two', 'two too']);
    await module.close();
  });

  it('continues after a command that failed, which is reported; and all caches are cleared', async () => {
    const { bus, module, reported } = await open();
    await module.init();
    failing.add('one');
    bus.notice(noticed('one'));
    await turn();
    expect([done, reported]).toEqual([['one too', 'all forgotten'], ['Note: planted in a command']]);
    bus.notice(noticed('two'));
    expect(done.slice(-2)).toEqual(['two', 'two too']);
    await module.close();
  });

  it('continues although clearing the caches fails as well, which is reported', async () => {
    const { bus, module, reported } = await open();
    await module.init();
    for (const what of ['one', 'all forgotten']) failing.add(what);
    bus.notice(noticed('one'));
    await turn();
    expect([done, reported]).toEqual([['one too'], ['Note: planted in a command', 'Note: planted in a command']]);
    bus.notice(noticed('two'));
    expect(done.slice(-2)).toEqual(['two', 'two too']);
    await module.close();
  });

  it('still has its effect while the process stops', async () => {
    const { bus, module } = await open();
    await module.init();
    await module.close();
    bus.notice(noticed('one'));
    expect(done).toEqual(['one', 'one too']);
  });
});

describe('a due event', () => {
  it('is settled when all its commands are done, in sequence', async () => {
    const { bus, module } = await open();
    await module.init();
    await bus.settle(due(event('later'), event('one')));
    expect(done).toEqual(['later', 'one']);
    await module.close();
  });

  it.each([
    ['a command fails', event('two'), 'planted in a command', ['one']],
    ['a saga throws', event('two', 'planted'), 'planted in a saga', []],
  ])('is not settled if %s, and comes again', async (_, bad, message, before) => {
    const { bus, module, reported } = await open();
    await module.init();
    failing.add('two');
    for (let n = 0; n < 2; n++) {
      await expect(bus.settle(due(event('one'), bad, event('three')))).rejects.toThrow(message);
      expect(done.splice(0)).toEqual(before);
    }
    await bus.settle(due(event('four')));
    expect([done, reported]).toEqual([['four'], []]);
    await module.close();
  });

  it('is not settled before sagas are registered', async () => {
    const { bus, module } = await open();
    await expect(bus.settle(due(event('one')))).rejects.toThrow('no sagas');
    await module.close();
  });
});
