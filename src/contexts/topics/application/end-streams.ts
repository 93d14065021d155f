import { Command } from '@nestjs/cqrs';

/** A topic is gone: what shows it live ends. Null: whatever is open may show what is gone; its clients come back. */
export class EndStreams extends Command<void> {
  constructor(readonly topicUid: string | null) {
    super();
  }
}
