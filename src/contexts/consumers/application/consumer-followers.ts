import type { ConsumerView } from './ports.js';

const PATIENCE_MS = 1_000;

export interface ConsumerFollower {
  /** Resolves when all changes that were stored before the call are in force. */
  caughtUp(): Promise<void>;
  /** Nothing more is sent to these, as they are, from now on. */
  withhold(consumers: readonly ConsumerView[]): void;
}

/** Who acts on consumers in this process. Contexts that come later in the order register themselves. */
export class ConsumerFollowers {
  private readonly followers: ConsumerFollower[] = [];

  register(follower: ConsumerFollower): void {
    this.followers.push(follower);
  }

  withhold(consumers: readonly ConsumerView[]): void {
    for (const follower of this.followers) follower.withhold(consumers);
  }

  /**
   * Resolves when a change is in force in this process, so that who was answered finds it so; after a second at the latest, because an
   * attempt under way may keep its lane for as long. Other instances hear of it by themselves.
   */
  async caughtUp(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([Promise.all(this.followers.map((follower) => follower.caughtUp())), patience]);
    clearTimeout(timer);
  }
}
