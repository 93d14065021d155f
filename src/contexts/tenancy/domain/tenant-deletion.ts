/** `failed`: the last attempt failed; another one follows within seconds. */
export type DeletionState = 'queued' | 'running' | 'completed' | 'failed';

export const DELETION_STATES: readonly DeletionState[] = ['queued', 'running', 'completed', 'failed'];

/** What is added after the first count raises the total, so that `done` never shrinks. */
export function progressWith(before: { readonly total: number; readonly done: number }, left: number) {
  const total = Math.max(before.total, before.done + left);
  return { total, done: total - left };
}

/** In whole steps; 100 only when nothing is left. */
export function percentOf(state: DeletionState, total: number, done: number): number {
  if (state === 'completed') return 100;
  return total === 0 ? 0 : Math.min(99, Math.floor((done * 100) / total));
}
