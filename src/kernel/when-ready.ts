/** Continues synchronously with a value, and later with a promise: a request for which everything is cached is decided without a promise. */
export function whenReady<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The same for errors, thrown synchronously or by a later rejection. */
export function whenFailed<T>(ask: () => T | Promise<T>, failed: (error: unknown) => T): T | Promise<T> {
  try {
    const value = ask();
    return value instanceof Promise ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

export function whenBothReady<A, B, R>(
  a: A | Promise<A>,
  b: B | Promise<B>,
  next: (a: A, b: B) => R | Promise<R>,
): R | Promise<R> {
  if (a instanceof Promise || b instanceof Promise) return Promise.all([a, b]).then(([one, other]) => next(one, other));
  return next(a, b);
}
