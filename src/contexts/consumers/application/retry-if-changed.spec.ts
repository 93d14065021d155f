import { DomainError } from '../../../kernel/domain-error.js';
import { retryIfChanged } from './retry-if-changed.js';

const mismatch = new DomainError('version-mismatch', 'precondition-failed', 'The resource has changed', 'It has.');

/** Loses its race so many times. */
function racing(losses: number): { change: () => Promise<string>; made: () => number } {
  let made = 0;
  const change = async (): Promise<string> => {
    if (++made <= losses) throw mismatch;
    return 'done';
  };
  return { change, made: () => made };
}

describe('a change that others overtook', () => {
  it('is made again', async () => {
    const { change, made } = racing(4);
    await expect(retryIfChanged(undefined, change)).resolves.toBe('done');
    expect(made()).toBe(5);
  });

  it('fails as retryable where others always come first: no version was named that could be old', async () => {
    await expect(retryIfChanged(undefined, racing(5).change)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'The consumer is changed by too many at once.',
    });
  });

  it.each([{ match: 'any' }, { noneMatch: [7] }] as const)(
    'is made again where the caller named none: %j',
    async (expected) => {
      await expect(retryIfChanged(expected, racing(4).change)).resolves.toBe('done');
    },
  );

  it('fails at once where the caller named the version', async () => {
    const { change, made } = racing(1);
    await expect(retryIfChanged(7, change)).rejects.toBe(mismatch);
    expect(made()).toBe(1);
  });
});
