const PATIENCE_MS = 1_000;

/** Who acts on consumers in this process. Contexts that come later in the order register themselves. */
export class ConsumerFollowers {
  private readonly followers: (() => Promise<void>)[] = [];

  /** `caughtUp` resolves when all changes that were stored before the call are in force. */
  register(caughtUp: () => Promise<void>): void {
    this.followers.push(caughtUp);
  }

  /**
   * Resolves when a change is in force in this process, so that who was answered finds it so; after a second at the latest, because an
   * attempt under way may keep its lane for as long. Other instances hear of it by themselves.
   */
  async caughtUp(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
    await Promise.race([Promise.all(this.followers.map((caughtUp) => caughtUp())), patience]);
    clearTimeout(timer);
  }
}
