import type { LogReader } from '../../../platform/event-log/index.js';
import { lifeOf, parseBarePlace, resumePosition, resumeMark } from '../domain/place.js';
import { Places } from './places.js';

const LOG = { tenantId: 'acme', topicUid: '1f3a9c1e-0000-4000-8000-000000000000' };
const FORMER = { topicUid: '99999999-0000-4000-8000-000000000000' };
const END = 3;
const places = new Places({
  heads: () => Promise.resolve(new Map([[LOG.topicUid, END]])),
  positionBefore: () => Promise.resolve(END),
} as unknown as LogReader);

describe('a position to continue from', () => {
  it('is one that the topic has reached', () => {
    for (const position of [0, 1, END]) expect(resumePosition(position, END, undefined)).toBe(position);
  });

  it('is refused beyond the end, and the error names the end', () => {
    expect(() => resumePosition(END + 1, END, undefined)).toThrow(
      'There is no position 4 in the topic; the last one is 3.',
    );
    expect(() => resumePosition(1, 0, undefined)).toThrow('it is empty');
  });

  it('is the end for readers that may see some types only: they do not learn how far that is', () => {
    expect(resumePosition(99, END, { permits: () => true })).toBe(END);
  });
});

describe('the mark of a stream', () => {
  it('is a place in the topic that it was read in, and in no other one of the same name', async () => {
    const own = parseBarePlace(resumeMark(2, lifeOf(LOG)))!;
    expect(await places.positionOf(LOG, own)).toBe(2);
    const former = parseBarePlace(resumeMark(2, lifeOf(FORMER)))!;
    await expect(places.positionOf(LOG, former)).rejects.toMatchObject({ code: 'place-not-found' });
  });

  it.each(['2/', '/1f3a9c1e', '2/1F3A9C1E', '2/1f3a9c1', '2/1f3a9c1e/'])('is not %s', (text) => {
    expect(parseBarePlace(text)).toBeUndefined();
  });
});

it('a start at a time says from when on events count, since it may be in the future', async () => {
  const time = '2100-01-01T00:00:00Z';
  expect(await places.startingPoint(LOG, { time })).toEqual({ startPosition: END, notBefore: Date.parse(time) });
  expect(await places.startingPoint(LOG, { position: END + 1 })).toEqual({ startPosition: END });
  await expect(places.startingPoint(LOG, { position: END + 2 })).rejects.toMatchObject({ code: 'place-not-found' });
});
