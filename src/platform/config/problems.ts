/** Everything that is wrong with the settings, by name; values are never shown. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/** Gathers what is wrong while loading goes on, so that all of it is told at once. */
export class Problems {
  readonly #messages: string[] = [];
  readonly #settings = new Set<string>();

  add(message: string): void {
    this.#messages.push(message);
  }

  /** Something that leaves this setting without a usable value: no further rule about it is looked at. */
  addFor(path: string, message: string): void {
    this.#settings.add(path);
    this.#messages.push(message);
  }

  concerns(path: string): boolean {
    return this.#settings.has(path);
  }

  throwIfAny(): void {
    if (this.#messages.length > 0) throw new SettingsError(this.#messages);
  }
}
