import { ConflictError, retryOnConflict } from './retry-on-conflict.js';

/** A change that is overtaken a given number of times. */
function overtaken(times: number, by: Error = new ConflictError()) {
  const made = { count: 0 };
  const change = async (): Promise<string> => {
    if (++made.count <= times) throw by;
    return 'done';
  };
  return { made, change };
}

describe('a change overtaken by others', () => {
  it('is tried again, five times in all', async () => {
    const { made, change } = overtaken(4);
    await expect(retryOnConflict('The thing', change)).resolves.toBe('done');
    expect(made.count).toBe(5);
  });

  it('may be tried again later if it is always overtaken', async () => {
    const { made, change } = overtaken(5);
    await expect(retryOnConflict('The thing', change)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'The thing is changed by too many at once.',
    });
    expect(made.count).toBe(5);
  });

  it('is not tried again after another failure, nor after a conflict that the caller excludes', async () => {
    const away = overtaken(1, new Error('away'));
    await expect(retryOnConflict('The thing', away.change)).rejects.toThrow('away');
    const conflict = overtaken(1);
    await expect(retryOnConflict('The thing', conflict.change, () => false)).rejects.toThrow(ConflictError);
    expect([away.made.count, conflict.made.count]).toEqual([1, 1]);
  });
});
