type NotFound = (id: string) => Error;

/**
 * What a caller may not know of is answered exactly as if it did not exist. Contexts that come later in the order say here how they answer
 * for what does not exist.
 */
export class HiddenResources {
  private readonly answers = new Map<string, NotFound>();

  /** `type` as in paths: `topics`. */
  register(type: string, notFound: NotFound): void {
    this.answers.set(type, notFound);
  }

  notFound(type: string, id: string): Error | undefined {
    return this.answers.get(type)?.(id);
  }
}
