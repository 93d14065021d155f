import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

type Listener = (position: number) => void;

/** Waits for the ends of tenants, whichever instance deletes them. */
@Injectable()
export class TenantEndWaiter {
  private readonly listeners = new Map<string, Set<Listener>>();

  announce(tenantId: string, position: number): void {
    for (const listener of this.listeners.get(tenantId) ?? []) listener(position);
  }

  /** Where the end is in the management log; undefined: not within the time, or before the call, which `ended` checks. */
  async waitFor(ms: number, tenantId: string, ended: () => Promise<boolean>): Promise<number | undefined> {
    const end = Promise.withResolvers<number | undefined>();
    const timer = setTimeout(() => end.resolve(undefined), ms);
    const listeners = this.listeners.get(tenantId) ?? new Set();
    this.listeners.set(tenantId, listeners.add(end.resolve));
    try {
      return (await ended()) ? undefined : await end.promise;
    } finally {
      clearTimeout(timer);
      listeners.delete(end.resolve);
      if (listeners.size === 0) this.listeners.delete(tenantId);
    }
  }
}

export class AnnounceTenantEnd extends Command<void> {
  constructor(
    readonly tenantId: string,
    /** Of the end in the management log. */
    readonly position: number,
  ) {
    super();
  }
}

@CommandHandler(AnnounceTenantEnd)
export class AnnounceTenantEndHandler implements ICommandHandler<AnnounceTenantEnd> {
  constructor(private readonly ends: TenantEndWaiter) {}

  async execute({ tenantId, position }: AnnounceTenantEnd): Promise<void> {
    this.ends.announce(tenantId, position);
  }
}
