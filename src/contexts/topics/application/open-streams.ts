import { usedUp, type LimitLeft } from '../../../kernel/limit-left.js';
import { admission, ownShare, type OpenCounts } from '../domain/stream-share.js';
import { topicError } from '../domain/topic-errors.js';

export interface StreamHolder {
  readonly tenantId: string;
  /** The human, or service account, whose rights are used. */
  readonly userId: string;
}

const RETRY_AFTER_SECONDS = 5;
const POLICY = { policy: 'streams', unit: 'concurrent-requests' } as const;
const SHARE_USED = {
  'tenant-share-used': 'The tenant has as many open streams of this kind as it may have now.',
  'human-share-used': 'You have as many open streams of this kind as you may have now.',
};

/** The streams of one kind that this instance has open, and whose they are. */
export class OpenStreams {
  private readonly byTenant = new Map<string, number>();
  private readonly byHuman = new Map<string, number>();
  private inAll = 0;

  constructor(private readonly streamsMax: number) {}

  /** Until what it returns is called. */
  enter({ tenantId, userId }: StreamHolder): () => void {
    const open = this.countsOf({ tenantId, userId });
    const judged = admission(open, this.streamsMax);
    const { quota } = ownShare(open, this.streamsMax);
    const extensions = usedUp({ ...POLICY, quota }, RETRY_AFTER_SECONDS);
    if (judged === 'full')
      throw topicError('too-many-streams', 'This instance has as many open streams as it takes.', extensions);
    if (judged !== 'open') throw topicError('stream-share-used', SHARE_USED[judged], extensions);
    this.count(tenantId, userId, 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.count(tenantId, userId, -1);
    };
  }

  left(holder: StreamHolder): LimitLeft {
    return { ...POLICY, ...ownShare(this.countsOf(holder), this.streamsMax) };
  }

  private countsOf({ tenantId, userId }: StreamHolder): OpenCounts {
    return { inAll: this.inAll, ofTenant: this.byTenant.get(tenantId) ?? 0, ofHuman: this.byHuman.get(userId) ?? 0 };
  }

  private count(tenantId: string, userId: string, by: 1 | -1): void {
    this.inAll += by;
    add(this.byTenant, tenantId, by);
    add(this.byHuman, userId, by);
  }
}

/** Who has none is not remembered. */
function add(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
