import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CommandBus, CqrsModule, EventBus, UnhandledExceptionBus, type ICommand, type ISaga } from '@nestjs/cqrs';
import { of, retry, timer } from 'rxjs';
import { Missed, type Due, type ManagementEvent, type Noticed } from './management-events.js';
import { SagaFailures } from './saga-failures.js';

const AGAIN_MS = 1_000;

/** What the sagas emit for one event. They emit while it is published. */
interface Answer {
  readonly commands: ICommand[];
  readonly failures: { readonly saga: string; readonly error: unknown }[];
}

/**
 * Nest's event bus, for management events only, with stronger guarantees for its sagas. In Nest's own, a saga that throws receives no
 * further events, and the publisher does not learn whether a command was done. Here a saga misses only the event at which it threw, and the
 * publisher learns how the commands ended.
 */
export class SagaBus extends EventBus<ManagementEvent> {
  private answer: Answer | undefined;

  constructor(
    private readonly commands: CommandBus,
    modules: ModuleRef,
    unhandled: UnhandledExceptionBus,
    private readonly failures: SagaFailures,
  ) {
    super(commands, modules, unhandled);
  }

  /**
   * The commands have begun when this returns, and those that wait for nothing, such as clearing a cache entry, are done: a caller that
   * gets its response after an append never meets a stale cache. Throws nothing. Failures are reported, and all caches are cleared.
   */
  notice(event: Noticed | Missed): void {
    const { commands, failures } = this.answerTo(event);
    for (const { saga, error } of failures) this.miss(saga, error, event);
    for (const command of commands) void this.begin(command, event);
  }

  /** Resolves when all commands are done, in sequence; rejects with the first failure, before any command if a saga failed. */
  async settle(event: Due): Promise<void> {
    // Its checkpoint would advance, and nothing be done.
    if (this.subscriptions.length === 0) throw new Error('There are no sagas yet.');
    const { commands, failures } = this.answerTo(event);
    if (failures[0]) throw failures[0].error;
    for (const command of commands) await this.commands.execute(command);
  }

  /** Nest unsubscribes sagas first when it stops; requests and subscriptions continue for a while, and need them. */
  override onModuleDestroy(): void {}

  protected override registerSaga(saga: ISaga<ManagementEvent>): void {
    const subscribeAgain = retry<ICommand>({
      delay: (error: unknown) => {
        if (this.answer) this.answer.failures.push({ saga: saga.name, error });
        else this.miss(saga.name, error);
        // At once, so that it receives the next event; outside of an event it could fail endlessly.
        return this.answer ? of(true) : timer(AGAIN_MS);
      },
    });
    const take = (command: ICommand): void => {
      if (this.answer) this.answer.commands.push(command);
      else void this.begin(command);
    };
    this.subscriptions.push(saga(this).pipe(subscribeAgain).subscribe(take));
  }

  private answerTo(event: ManagementEvent): Answer {
    const answer: Answer = { commands: [], failures: [] };
    this.answer = answer;
    this.publish(event);
    this.answer = undefined;
    return answer;
  }

  private async begin(command: ICommand, event?: ManagementEvent): Promise<void> {
    try {
      await this.commands.execute(command);
    } catch (error) {
      this.miss(command.constructor.name, error, event);
    }
  }

  private miss(failed: string, error: unknown, event?: ManagementEvent): void {
    this.failures.report(failed, error);
    if (!(event instanceof Missed)) this.notice(new Missed());
  }
}

/** Nest's module with this bus as its event bus; `imports` provide SagaFailures. Nest makes it global: it finds handlers everywhere. */
export function cqrsModule(imports: ModuleMetadata['imports'] & {}): DynamicModule {
  const { providers = [], ...module } = CqrsModule.forRoot();
  const bus = { provide: SagaBus, inject: [CommandBus, ModuleRef, UnhandledExceptionBus, SagaFailures] };
  const useFactory = (...parts: ConstructorParameters<typeof SagaBus>): SagaBus => new SagaBus(...parts);
  return {
    ...module,
    imports,
    providers: [...providers, { ...bus, useFactory }, { provide: EventBus, useExisting: SagaBus }],
    exports: [SagaBus],
  };
}
