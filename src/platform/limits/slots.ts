/** What is open or under way at one time: how many in all, and by whom. Holders of none are forgotten. */
export class Slots {
  private readonly held = new Map<string, number>();
  private total = 0;

  get inAll(): number {
    return this.total;
  }

  of(holder: string): number {
    return this.held.get(holder) ?? 0;
  }

  /** Takes one in the name of all of these, until the returned function is called; calling it again changes nothing. */
  take(...holders: readonly string[]): () => void {
    this.count(holders, 1);
    let given = false;
    return () => {
      if (!given) this.count(holders, -1);
      given = true;
    };
  }

  private count(holders: readonly string[], by: 1 | -1): void {
    this.total += by;
    for (const holder of holders) {
      const count = this.of(holder) + by;
      if (count === 0) this.held.delete(holder);
      else this.held.set(holder, count);
    }
  }
}
