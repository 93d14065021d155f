import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CommandBus, CqrsModule, EventBus, UnhandledExceptionBus, type ICommand, type ISaga } from '@nestjs/cqrs';
import { of, retry, timer } from 'rxjs';
import { Missed, type Due, type ManagementEvent, type Noticed } from './management-events.js';
import { SagaFailures } from './saga-failures.js';

const AGAIN_MS = 1_000;

/** What the sagas make of one event. They answer while it is published. */
interface Answer {
  readonly commands: ICommand[];
  readonly failures: { readonly saga: string; readonly error: unknown }[];
}

/**
 * Nest's event bus, for management events only, which keeps more promises to its sagas. There, a saga that throws hears of nothing any
 * more, and whether a command was done is not known to who published the event. Here a saga misses only the event that it threw at, and
 * who publishes learns what became of the commands.
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
   * The commands have begun when this returns, and those that wait for nothing, as to forget something, are done: who is answered after an
   * append meets no cache that has not heard of it. Throws nothing. What fails is told, and everything that is remembered is forgotten.
   */
  notice(event: Noticed | Missed): void {
    const { commands, failures } = this.answerTo(event);
    for (const { saga, error } of failures) this.miss(saga, error, event);
    for (const command of commands) void this.begin(command, event);
  }

  /** Resolves when all commands are done, one after the other; rejects with the first failure, before any command where it is a saga's. */
  async settle(event: Due): Promise<void> {
    // Its place would be kept, and nothing done.
    if (this.subscriptions.length === 0) throw new Error('There are no sagas yet.');
    const { commands, failures } = this.answerTo(event);
    if (failures[0]) throw failures[0].error;
    for (const command of commands) await this.commands.execute(command);
  }

  /** Nest lets go of sagas first when it stops; requests and subscriptions go on for a while, and need them. */
  override onModuleDestroy(): void {}

  protected override registerSaga(saga: ISaga<ManagementEvent>): void {
    const subscribeAgain = retry<ICommand>({
      delay: (error: unknown) => {
        if (this.answer) this.answer.failures.push({ saga: saga.name, error });
        else this.miss(saga.name, error);
        // At once, so that it hears of the next event; apart from an event it could fail without an end.
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
    this.failures.tell(failed, error);
    if (!(event instanceof Missed)) this.notice(new Missed());
  }
}

/** Nest's module, in which this bus is the event bus; `imports` have SagaFailures. Nest makes it global: handlers are found everywhere. */
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
