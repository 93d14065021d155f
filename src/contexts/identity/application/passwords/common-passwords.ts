import { Injectable } from '@nestjs/common';

/** The 49,000 most common leaked passwords (zxcvbn). Read when the first password is checked: 30 ms, some megabytes. */
@Injectable()
export class CommonPasswords {
  private known: Promise<ReadonlySet<string>> | undefined;

  load(): Promise<ReadonlySet<string>> {
    return (this.known ??= read());
  }
}

async function read(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].map((password) => String(password).toLowerCase()));
}
