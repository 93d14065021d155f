import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DomainError } from '../../../kernel/domain-error.js';
import type { LimitLeft } from '../../../kernel/limit-left.js';
import {
  Appender,
  type AppendResult,
  type ExpectedStreamVersion,
  type LogRef,
  type NewEvent,
} from '../../../platform/event-log/index.js';
import type { PublishLimits } from '../../../kernel/access.js';
import { topicNotFound, type TopicRef } from '../domain/topic.js';
import { TenantQuota } from './tenant-quota.js';
import { TopicDirectory } from './topic-directory.js';

export class PublishEvents extends Command<AppendResult> {
  constructor(
    readonly topic: TopicRef,
    readonly events: readonly NewEvent[],
    readonly expectedStreamVersion: ExpectedStreamVersion,
    readonly publishedBy: string,
    /** Of the tenant. */
    readonly limits: PublishLimits | null,
    readonly reportLimit: (left: LimitLeft) => void,
  ) {
    super();
  }
}

/** Appends to the log of the topic. Where the log is gone, the topic may have been created again: it is looked up once more. */
@CommandHandler(PublishEvents)
export class PublishEventsHandler implements ICommandHandler<PublishEvents> {
  constructor(
    private readonly directory: TopicDirectory,
    private readonly appender: Appender,
    private readonly quota: TenantQuota,
  ) {}

  async execute(command: PublishEvents): Promise<AppendResult> {
    const { topic, events, limits, reportLimit } = command;
    const taken = this.quota.take(topic.tenantId, limits, events, reportLimit);
    if (taken) await taken;
    const cached = this.directory.cached(topic);
    const stored = cached && (await this.append(cached, command));
    const result = stored ?? (await this.append(await this.directory.load(topic), command));
    if (!result) throw topicNotFound(topic);
    return result;
  }

  /** Undefined: the log does not exist any more. */
  private async append(log: LogRef, command: PublishEvents): Promise<AppendResult | undefined> {
    const { events, expectedStreamVersion, publishedBy } = command;
    const { tenantId, topicUid } = log;
    try {
      return await this.appender.append({ tenantId, topicUid, events, expectedStreamVersion, publishedBy });
    } catch (error) {
      if (error instanceof DomainError && error.code === 'log-gone') return undefined;
      throw error;
    }
  }
}
