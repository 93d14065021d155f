import { lifeOf, parseBarePlace, parsePlace, resumePosition, resumeMark } from './place.js';

describe('a place in a body', () => {
  it.each([
    ['beginning'],
    ['latest'],
    [{ eventId: 'e-1' }],
    [{ position: 0 }],
    [{ position: Number.MAX_SAFE_INTEGER }],
    [{ time: '2026-01-02T03:04:05Z' }],
  ])('is %j', (place) => expect(parsePlace(place)).toEqual(place));

  it.each([
    ['end'],
    [''],
    [null],
    [7],
    [[]],
    [['beginning']],
    [{}],
    [{ eventId: 'a b' }],
    [{ eventId: 7 }],
    [{ position: -1 }],
    [{ position: 1.5 }],
    [{ position: '1' }],
    [{ position: 2 ** 53 }],
    [{ time: 'yesterday' }],
    [{ time: 0 }],
    [{ position: 1, time: '2026-01-02T03:04:05Z' }],
    [{ place: 'beginning' }],
  ])('is not %j', (value) => expect(parsePlace(value)).toBeUndefined());
});

describe('a place in a query or header', () => {
  it.each([
    ['beginning', 'beginning'],
    ['42', { position: 42 }],
    ['42/1f3a9c1e', { position: 42, life: '1f3a9c1e' }],
    ['order-7', { eventId: 'order-7' }],
    ['42x', { eventId: '42x' }],
    ['{"time":"2026-01-02T03:04:05Z"}', { time: '2026-01-02T03:04:05Z' }],
    ['{"position":3}', { position: 3 }],
  ])('%s', (text, place) => expect(parseBarePlace(text)).toEqual(place));

  it.each([['{'], ['{"position":-1}'], ['42/1f3a9c1'], ['42/1F3A9C1E'], ['42/'], ['a b'], ['']])('is not %j', (text) =>
    expect(parseBarePlace(text)).toBeUndefined(),
  );

  it('is the mark of a stream: position and life of the topic, which no event id looks like', () => {
    const mark = resumeMark(12, lifeOf({ topicUid: '0123abcd-0000-7000-8000-000000000000' }));
    expect(mark).toBe('12/0123abcd');
    expect(parseBarePlace(mark)).toEqual({ position: 12, life: '0123abcd' });
    expect(parsePlace({ eventId: mark })).toBeUndefined();
  });
});

describe('a reader that continues after a position', () => {
  const some = { permits: () => false };

  it('continues there, where the topic has reached it', () => {
    for (const visible of [undefined, some])
      expect([0, 3, 5].map((at) => resumePosition(at, 5, visible))).toEqual([0, 3, 5]);
  });

  it('learns where the topic ends, if nothing has the position yet', () => {
    expect(() => resumePosition(6, 5, undefined)).toThrow('There is no position 6 in the topic; the last one is 5.');
    expect(() => resumePosition(1, 0, undefined)).toThrow('There is no position 1 in the topic; it is empty.');
  });

  it('continues after the end if it may see some types only, and does not learn where that is', () => {
    expect(resumePosition(600, 5, some)).toBe(5);
  });
});
