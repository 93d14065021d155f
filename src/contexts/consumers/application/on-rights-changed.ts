import { Injectable } from '@nestjs/common';
import { MANAGEMENT_TOPICS } from '../../../kernel/aggregate.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import type { PageReaction, StoredEvent } from '../../../platform/event-log/index.js';
import type { ConsumerEvent } from '../domain/consumer.js';
import { lessenedBy, type PermissionEvent } from '../domain/lessened-rights.js';
import { RunningConsumers } from './ports.js';
import { WithdrawRights } from './withdraw-rights.js';

/** Whose rights may be less than they were: the consumers that run on them are judged again. */
@Injectable()
export class OnPermissionsChanged implements PageReaction {
  readonly name = 'consumers:on-permissions-changed';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.permissions };

  constructor(
    private readonly running: RunningConsumers,
    private readonly withdraw: WithdrawRights,
  ) {}

  handleAll = async (events: readonly StoredEvent[]): Promise<void> => {
    const lessened = lessenedBy(events.map(permissionEvent));
    for (const [tenantId, users] of lessened) {
      const everywhere = tenantId === SYSTEM_TENANT;
      const place = everywhere ? null : tenantId;
      const concerned = users ? this.running.on([...users], place) : this.running.in(place);
      await this.withdraw.from(concerned, causeOf(events));
    }
  };
}

const GONE = new Set(['user.suspended', 'user.deleted']);

@Injectable()
export class OnUserGone implements PageReaction {
  readonly name = 'consumers:on-user-gone';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.users };

  constructor(
    private readonly running: RunningConsumers,
    private readonly withdraw: WithdrawRights,
  ) {}

  handleAll = async (events: readonly StoredEvent[]): Promise<void> => {
    const gone = events.filter(({ type }) => GONE.has(type)).map(({ stream }) => stream!);
    if (gone.length > 0) await this.withdraw.from(this.running.on(gone, null), causeOf(events));
  };
}

const ONLY_LESS: ReadonlySet<string> = new Set<ConsumerEvent['type']>(['consumer.paused', 'consumer.deleted']);

/**
 * The right may have gone between the check of a change and the change: whichever came first, one of both reactions sees the other. Also
 * where it is only named otherwise: what is withheld goes on with the next version, and the pause of many is stored one by one.
 */
@Injectable()
export class OnConsumerChanged implements PageReaction {
  readonly name = 'consumers:on-consumer-changed';
  readonly log = { tenantId: SYSTEM_TENANT, topicUid: MANAGEMENT_TOPICS.consumers };

  constructor(
    private readonly running: RunningConsumers,
    private readonly withdraw: WithdrawRights,
  ) {}

  handleAll = async (events: readonly StoredEvent[]): Promise<void> => {
    const changed = events.filter(({ type }) => !ONLY_LESS.has(type));
    for (const [tenantId, own] of Map.groupBy(changed, ({ key }) => key!)) {
      const paths = [...new Set(own.map(({ stream }) => stream!.slice(tenantId.length + 1)))];
      await this.withdraw.from(this.running.named(tenantId, paths), causeOf(own));
    }
  };
}

const permissionEvent = ({ type, key, data }: StoredEvent): PermissionEvent => ({
  type,
  tenantId: key!,
  data: JSON.parse(data) as PermissionEvent['data'],
});

/** Of several events together, the last one stands for all. */
function causeOf(events: readonly StoredEvent[]): string {
  const { correlationId, id } = events.at(-1)!;
  return correlationId ?? id;
}
