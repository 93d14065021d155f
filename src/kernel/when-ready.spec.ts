import { whenFailed, whenReady } from './when-ready.js';

const double = (n: number): number => 2 * n;
const fail = (): never => {
  throw new Error('planted');
};
const told = (error: unknown): string => (error as Error).message;

it('a value is passed on synchronously, the value of a promise later', async () => {
  expect(whenReady(1, double)).toBe(2);
  await expect(whenReady(Promise.resolve(1), double)).resolves.toBe(2);
  expect(() => whenReady(1, fail)).toThrow('planted');
  await expect(whenReady(Promise.resolve(1), fail)).rejects.toThrow('planted');
});

it('an error is handled synchronously or later; a success is not changed', async () => {
  expect(whenFailed(() => 'well', told)).toBe('well');
  expect(whenFailed<string>(fail, told)).toBe('planted');
  await expect(whenFailed(async () => 'well', told)).resolves.toBe('well');
  await expect(whenFailed<string>(async () => fail(), told)).resolves.toBe('planted');
});
