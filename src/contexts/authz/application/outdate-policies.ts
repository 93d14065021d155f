import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Policies } from './policies.js';

export type Outdated =
  | { readonly tenantId: string }
  | { readonly principalId: string }
  /** The tenant itself, or something in it, was deleted. */
  | { readonly endedIn: string };

export class OutdatePolicies extends Command<void> {
  constructor(readonly which: Outdated | 'all') {
    super();
  }
}

@CommandHandler(OutdatePolicies)
export class OutdatePoliciesHandler implements ICommandHandler<OutdatePolicies> {
  constructor(private readonly policies: Policies) {}

  async execute({ which }: OutdatePolicies): Promise<void> {
    if (which === 'all') this.policies.outdateAll();
    else if ('tenantId' in which) this.policies.outdateTenant(which.tenantId);
    else if ('principalId' in which) this.policies.outdatePrincipal(which.principalId);
    else this.policies.outdateEnded(which.endedIn);
  }
}
