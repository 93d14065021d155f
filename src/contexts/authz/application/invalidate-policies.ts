import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Policies } from './policies.js';

export type InvalidatedPolicies =
  | { readonly tenantId: string }
  | { readonly principalId: string }
  /** The tenant itself, or something in it, was deleted. */
  | { readonly endedIn: string };

export class InvalidatePolicies extends Command<void> {
  constructor(readonly which: InvalidatedPolicies | 'all') {
    super();
  }
}

@CommandHandler(InvalidatePolicies)
export class InvalidatePoliciesHandler implements ICommandHandler<InvalidatePolicies> {
  constructor(private readonly policies: Policies) {}

  async execute({ which }: InvalidatePolicies): Promise<void> {
    if (which === 'all') this.policies.invalidateAll();
    else if ('tenantId' in which) this.policies.invalidateTenant(which.tenantId);
    else if ('principalId' in which) this.policies.invalidatePrincipal(which.principalId);
    else this.policies.invalidateDeleted(which.endedIn);
  }
}
