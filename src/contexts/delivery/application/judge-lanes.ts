import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DeliveryWorker } from './delivery-worker.js';

/** A tenant opened or closed: its lanes run or rest accordingly. Null: any tenant may have. */
export class JudgeLanes extends Command<void> {
  constructor(readonly tenantId: string | null) {
    super();
  }
}

@CommandHandler(JudgeLanes)
export class JudgeLanesHandler implements ICommandHandler<JudgeLanes> {
  constructor(private readonly worker: DeliveryWorker) {}

  async execute({ tenantId }: JudgeLanes): Promise<void> {
    this.worker.tenantChanged(tenantId);
  }
}
