/** Whether this instance takes requests: not yet while it starts, no more once it stops. */
export class Readiness {
  private state: 'starting' | 'open' | 'stopping' = 'starting';

  get open(): boolean {
    return this.state === 'open';
  }

  started(): void {
    this.state = 'open';
  }

  stopping(): void {
    this.state = 'stopping';
  }
}
