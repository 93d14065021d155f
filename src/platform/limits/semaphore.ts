/** So many are let in at once; the others wait in the order in which they came. */
export class Semaphore {
  private readonly queue = new Set<() => void>();
  private inside = 0;

  constructor(private limit = Infinity) {}

  get acquired(): number {
    return this.inside;
  }

  get waiting(): number {
    return this.queue.size;
  }

  /** Whether there is room at once. Callers that were let in must release. */
  tryAcquire(): boolean {
    if (this.inside >= this.limit) return false;
    this.inside++;
    return true;
  }

  /** True: let in. False: there was no room within the time. */
  wait(timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const letIn = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const giveUp = (): void => {
        this.queue.delete(letIn);
        resolve(false);
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      this.queue.add(letIn);
    });
  }

  release(): void {
    this.inside--;
    this.letIn();
  }

  /** If it is lowered, those inside stay. */
  setLimit(limit: number): void {
    this.limit = limit;
    this.letIn();
  }

  private letIn(): void {
    for (const next of this.queue) {
      if (!this.tryAcquire()) return;
      this.queue.delete(next);
      next();
    }
  }
}
