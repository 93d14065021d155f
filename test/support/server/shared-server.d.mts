import type { ForkOptions } from 'node:child_process';

export interface Prepared {
  readonly module: string;
  readonly options: ForkOptions;
}

/** What the process reports when it runs. */
export interface Announcement {
  readonly url: string;
  readonly firstAccess: { readonly apiKey: string | undefined } | undefined;
  readonly failure?: string;
}

export declare class SharedServer {
  usedBy(testPath: string): void;
  running<P extends Prepared>(
    prepare: () => Promise<P>,
  ): Promise<Announcement & Omit<P, keyof Prepared> & { readonly pid: number }>;
  check(): void;
}
