import { Injectable } from '@nestjs/common';
import { DurableSubscriptions } from '../../../platform/event-log/index.js';
import { Founders } from './founders.js';
import { OnConsumerChanged, OnPermissionsChanged, OnUserGone } from './on-rights-changed.js';
import { OnTopicDeleted } from './on-topic-deleted.js';

/** What consumers do about events of others. */
@Injectable()
export class ConsumerReactions {
  constructor(
    private readonly subscriptions: DurableSubscriptions,
    private readonly founders: Founders,
    private readonly onTopicDeleted: OnTopicDeleted,
    private readonly onPermissionsChanged: OnPermissionsChanged,
    private readonly onUserGone: OnUserGone,
    private readonly onConsumerChanged: OnConsumerChanged,
  ) {}

  /** Founders come first: a consumer that is judged while it runs on nobody's right is paused. */
  async start(): Promise<void> {
    await this.founders.settle();
    for (const reaction of [this.onTopicDeleted, this.onPermissionsChanged, this.onUserGone, this.onConsumerChanged])
      this.subscriptions.start(reaction);
  }
}
