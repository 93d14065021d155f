/**
 * Goes on at once with what is there, and later with what has to be waited for: a request of which all is remembered is decided without a
 * promise.
 */
export function whenReady<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** The same for what fails, whether it throws at once or rejects later. */
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
