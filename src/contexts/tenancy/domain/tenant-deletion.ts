/** `failed`: the last attempt; another one follows within seconds. */
export type DeletionState = 'queued' | 'running' | 'completed' | 'failed';

export const DELETION_STATES: readonly DeletionState[] = ['queued', 'running', 'completed', 'failed'];

/** In whole steps; 100 only when nothing is left. */
export function percentOf(state: DeletionState, total: number, done: number): number {
  if (state === 'completed') return 100;
  return total === 0 ? 0 : Math.min(99, Math.floor((done * 100) / total));
}
