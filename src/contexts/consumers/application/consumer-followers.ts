import type { ConsumerFollower, ConsumerView } from './ports.js';

const PATIENCE_MS = 1_000;

/** What acts on consumers in this process. Contexts that come later in the order register themselves. */
export class ConsumerFollowers {
  private readonly followers: ConsumerFollower[] = [];

  register(follower: ConsumerFollower): void {
    this.followers.push(follower);
  }

  withhold(consumers: readonly ConsumerView[]): void {
    for (const follower of this.followers) follower.withhold(consumers);
  }

  /**
   * Resolves when a change is in force in this process, so that callers find it so; after a second at the latest, because a running
   * attempt may hold its lane for as long. Other instances learn of it on their own.
   */
  async caughtUp(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([Promise.all(this.followers.map((follower) => follower.caughtUp())), patience]);
    clearTimeout(timer);
  }
}
