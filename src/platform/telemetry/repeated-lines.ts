import type { Clock } from '../../kernel/clock.js';
import { Window } from '../limits/window.js';

const LINES_MAX = 10;
const WINDOW_MS = 60_000;

/**
 * Keeps clients from filling the log at will: of each kind ten lines a minute are written, and the first one of the next minute with any
 * reports how many were left out. Kinds are few and known: codes of the registry.
 */
export class RepeatedLines {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly clock: Clock) {}

  /** How many lines were left out before this one, to be logged with it; undefined: it is left out itself. */
  admit(kind: string): { readonly leftOut?: number } | undefined {
    const now = this.clock.now();
    const window = this.windows.get(kind);
    if (!window || window.isOver(now)) {
      this.windows.set(kind, new Window(now, WINDOW_MS, 1));
      return window && window.count > LINES_MAX ? { leftOut: window.count - LINES_MAX } : {};
    }
    return ++window.count <= LINES_MAX ? {} : undefined;
  }
}
