import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EndStreams } from '../application/end-streams.js';
import { EventStreams } from './event-streams.js';

@CommandHandler(EndStreams)
export class EndStreamsHandler implements ICommandHandler<EndStreams> {
  constructor(private readonly streams: EventStreams) {}

  async execute({ topicUid }: EndStreams): Promise<void> {
    this.streams.end(topicUid);
  }
}
