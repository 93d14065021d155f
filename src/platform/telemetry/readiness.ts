/** Whether this instance accepts requests: not while it starts or stops. */
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
