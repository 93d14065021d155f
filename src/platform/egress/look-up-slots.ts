interface Use {
  all: number;
  /** Of these, names whose last look-up failed. */
  doubtful: number;
}

export interface SlotBounds {
  readonly perShare: number;
  readonly inAll: number;
}

/**
 * Counts the look-ups under way, per share and in total. Names whose last look-up failed may use only half of each bound, so that names
 * that never resolve leave room for the others of the same share.
 */
export class LookUpSlots {
  private readonly whole: Use = { all: 0, doubtful: 0 };
  private readonly shares = new Map<string, Use>();

  constructor(private readonly bounds: SlotBounds) {}

  /** False: no slot is free for such a name. */
  take(share: string, doubtful: boolean): boolean {
    const own = this.shares.get(share) ?? { all: 0, doubtful: 0 };
    if (!hasRoom(own, this.bounds.perShare, doubtful)) return false;
    if (!hasRoom(this.whole, this.bounds.inAll, doubtful)) return false;
    this.shares.set(share, own);
    for (const use of [own, this.whole]) add(use, 1, doubtful);
    return true;
  }

  free(share: string, doubtful: boolean): void {
    const own = this.shares.get(share)!;
    for (const use of [own, this.whole]) add(use, -1, doubtful);
    if (own.all === 0) this.shares.delete(share);
  }
}

const hasRoom = ({ all, doubtful: silent }: Use, max: number, doubtful: boolean): boolean =>
  all < max && !(doubtful && silent >= max / 2);

function add(use: Use, by: 1 | -1, doubtful: boolean): void {
  use.all += by;
  if (doubtful) use.doubtful += by;
}
