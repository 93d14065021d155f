import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { RunningConsumers, type ConsumerView } from './ports.js';
import { WithdrawRights } from './withdraw-rights.js';

/** Consumers that run on these users, in a tenant or everywhere; all of a tenant, or all there are; those with these names. */
export type ConsumerSelection =
  | { readonly runOn: readonly string[]; readonly tenantId: string | null }
  | { readonly allIn: string | null }
  | { readonly tenantId: string; readonly paths: readonly string[] };

/** Checks the rights of consumers again, since they may have been reduced. */
export class RecheckConsumers extends Command<void> {
  constructor(
    readonly which: ConsumerSelection,
    readonly correlationId: string,
  ) {
    super();
  }
}

@CommandHandler(RecheckConsumers)
export class RecheckConsumersHandler implements ICommandHandler<RecheckConsumers> {
  constructor(
    private readonly running: RunningConsumers,
    private readonly withdraw: WithdrawRights,
  ) {}

  execute({ which, correlationId }: RecheckConsumers): Promise<void> {
    return this.withdraw.from(this.selected(which), correlationId);
  }

  private selected(which: ConsumerSelection): AsyncIterable<readonly ConsumerView[]> {
    if ('allIn' in which) return this.running.in(which.allIn);
    if ('runOn' in which) return this.running.on(which.runOn, which.tenantId);
    return this.running.named(which.tenantId, which.paths);
  }
}
