import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { ApiKeyDirectory } from './api-key-directory.js';
import { Authenticator } from './authenticator.js';

/** The verified tokens of a user or of a session. */
export class ForgetTokens extends Command<void> {
  constructor(readonly of: { readonly userId: string } | { readonly sessionId: string } | 'everybody') {
    super();
  }
}

@CommandHandler(ForgetTokens)
export class ForgetTokensHandler implements ICommandHandler<ForgetTokens> {
  constructor(private readonly authenticator: Authenticator) {}

  async execute({ of }: ForgetTokens): Promise<void> {
    if (of === 'everybody') this.authenticator.forgetAll();
    else this.authenticator.forgetThoseOf('userId' in of ? of.userId : of.sessionId);
  }
}

/** One key, or all keys of a user. */
export class ForgetApiKeys extends Command<void> {
  constructor(readonly of: { readonly keyId: string } | { readonly userId: string } | 'everybody') {
    super();
  }
}

@CommandHandler(ForgetApiKeys)
export class ForgetApiKeysHandler implements ICommandHandler<ForgetApiKeys> {
  constructor(private readonly directory: ApiKeyDirectory) {}

  async execute({ of }: ForgetApiKeys): Promise<void> {
    if (of === 'everybody') this.directory.forgetAll();
    else if ('keyId' in of) this.directory.forget(of.keyId);
    else this.directory.forgetOwner(of.userId);
  }
}
