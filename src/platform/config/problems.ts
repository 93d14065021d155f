/** Everything that is wrong with the settings, by name; values are never shown. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'SettingsError';
  }
}

/** Collects problems while loading continues, so that all of them are reported at once. */
export class Problems {
  readonly #messages: string[] = [];
  readonly #settings = new Set<string>();

  add(message: string): void {
    this.#messages.push(message);
  }

  /** A problem that leaves this setting without a usable value: no further rule about it is checked. */
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
