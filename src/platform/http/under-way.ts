/** What requests of this process work on, each as often as it is asked for. */
export class UnderWay {
  private readonly counts = new Map<string, number>();

  has(name: string): boolean {
    return this.counts.has(name);
  }

  enter(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  leave(name: string): void {
    const rest = this.counts.get(name)! - 1;
    if (rest > 0) this.counts.set(name, rest);
    else this.counts.delete(name);
  }
}
