import { Command } from '@nestjs/cqrs';

/** Ends the open streams of a deleted topic. Null: ends all, since any may show a topic that is gone; clients reconnect. */
export class EndStreams extends Command<void> {
  constructor(readonly topicUid: string | null) {
    super();
  }
}
