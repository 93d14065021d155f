import { exhaustedLimit, type LimitLeft } from '../../../kernel/limit-left.js';
import { Slots } from '../../../platform/limits/slots.js';
import { admission, ownShare, type OpenCounts } from '../domain/stream-share.js';
import { topicError } from '../domain/topic-errors.js';

export interface StreamHolder {
  readonly tenantId: string;
  /** The human or service account whose rights are used. */
  readonly userId: string;
}

const RETRY_AFTER_SECONDS = 5;
const POLICY = { policy: 'streams', unit: 'concurrent-requests' } as const;
const SHARE_USED = {
  'tenant-share-used': 'The tenant has as many open streams of this kind as it may have now.',
  'human-share-used': 'You have as many open streams of this kind as you may have now.',
};

/** The streams of one kind that this instance has open, and their holders. */
export class OpenStreams {
  private readonly slots = new Slots();

  constructor(private readonly streamsMax: number) {}

  /** Takes a place until the returned function is called. */
  enter(holder: StreamHolder): () => void {
    const open = this.countsOf(holder);
    const decision = admission(open, this.streamsMax);
    const { quota } = ownShare(open, this.streamsMax);
    const extensions = exhaustedLimit({ ...POLICY, quota }, RETRY_AFTER_SECONDS);
    if (decision === 'full')
      throw topicError('too-many-streams', 'This instance has as many open streams as it takes.', extensions);
    if (decision !== 'open') throw topicError('stream-share-used', SHARE_USED[decision], extensions);
    return this.slots.take(tenantOf(holder), humanOf(holder));
  }

  left(holder: StreamHolder): LimitLeft {
    return { ...POLICY, ...ownShare(this.countsOf(holder), this.streamsMax) };
  }

  private countsOf(holder: StreamHolder): OpenCounts {
    const { slots } = this;
    return { inAll: slots.inAll, ofTenant: slots.of(tenantOf(holder)), ofHuman: slots.of(humanOf(holder)) };
  }
}

const tenantOf = ({ tenantId }: StreamHolder): string => `tenant ${tenantId}`;
const humanOf = ({ userId }: StreamHolder): string => `human ${userId}`;
