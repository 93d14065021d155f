type NotFound = (id: string) => Error;

/**
 * The answer for a resource that the caller may not see is exactly the one for a resource that does not exist. Contexts that come later in the
 * order register the error that they throw for it.
 */
export class ResourceVisibility {
  private readonly errors = new Map<string, NotFound>();

  /** `type` as in paths: `topics`. */
  register(type: string, notFound: NotFound): void {
    this.errors.set(type, notFound);
  }

  notFound(type: string, id: string): Error | undefined {
    return this.errors.get(type)?.(id);
  }
}
