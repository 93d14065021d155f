import type { Clock } from '../../kernel/clock.js';

const LINES_MAX = 10;
const WINDOW_MS = 60_000;

interface Window {
  readonly endsAt: number;
  lines: number;
  leftOut: number;
}

/**
 * Keeps what clients can bring about at will from filling the log: of each kind ten lines a minute are written, and the first one of the
 * next minute that has any tells how many were left out. Kinds are few and known: codes of the registry.
 */
export class RepeatedLines {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly clock: Clock) {}

  /** What the line is to say of those that were left out before it; undefined: it is left out itself. */
  admit(kind: string): { readonly leftOut?: number } | undefined {
    const now = this.clock.now();
    const window = this.windows.get(kind);
    if (!window || window.endsAt <= now) {
      this.windows.set(kind, { endsAt: now + WINDOW_MS, lines: 1, leftOut: 0 });
      return window && window.leftOut > 0 ? { leftOut: window.leftOut } : {};
    }
    if (++window.lines <= LINES_MAX) return {};
    window.leftOut++;
    return undefined;
  }
}
