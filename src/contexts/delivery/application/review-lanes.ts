import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DeliveryWorker } from './delivery-worker.js';

/** A tenant opened or closed: its lanes run or rest accordingly. Null: any tenant may have. */
export class ReviewLanes extends Command<void> {
  constructor(readonly tenantId: string | null) {
    super();
  }
}

@CommandHandler(ReviewLanes)
export class ReviewLanesHandler implements ICommandHandler<ReviewLanes> {
  constructor(private readonly worker: DeliveryWorker) {}

  async execute({ tenantId }: ReviewLanes): Promise<void> {
    this.worker.tenantChanged(tenantId);
  }
}
