import * as fc from 'fast-check';
import { DomainError } from '../../kernel/domain-error.js';
import { placeKey, planAppends, type AppendPlan, type KnownEnd, type PlanInput } from './append-plan.js';
import type { AppendRequest, AppendResult, NewEvent, StoredEvent } from './event.js';

const LOGS = ['log-a', 'log-b'];

const newEvent = (fields: Partial<NewEvent> = {}): NewEvent => ({
  id: 'generated',
  idGiven: fields.id !== undefined,
  type: 't',
  data: '1',
  key: null,
  stream: null,
  occurredAt: null,
  schemaVersion: null,
  correlationId: null,
  causationId: null,
  traceparent: null,
  tracestate: null,
  metadata: null,
  bytes: 1,
  ...fields,
});

const request = (events: readonly NewEvent[], fields: Partial<AppendRequest> = {}): AppendRequest => ({
  tenantId: 'acme',
  topicUid: 'log-a',
  events,
  publishedBy: 'usr_1',
  expectedStreamVersion: 'any',
  ...fields,
});

const endAt = (position: number, fields: Partial<KnownEnd> = {}): KnownEnd => ({
  position,
  logBytes: 0,
  recordedAt: 0,
  lastId: null,
  streams: new Map(),
  ...fields,
});

/** An event as an earlier flush stored it. */
function stored(event: NewEvent, position: number, streamVersion: number | null = null): StoredEvent {
  const { idGiven: _given, bytes: _bytes, ...rest } = event;
  return { ...rest, position, streamVersion, recordedAt: 1, publishedBy: 'usr_0', logBytes: position };
}

const plan = (requests: readonly AppendRequest[], fields: Partial<PlanInput> = {}): AppendPlan =>
  planAppends({
    requests,
    ends: new Map([['log-a', endAt(0)]]),
    known: new Map(),
    ours: new Set(),
    now: 10,
    ...fields,
  });

const codeOf = (outcome: AppendResult | DomainError | undefined): string | undefined =>
  outcome instanceof DomainError ? outcome.code : undefined;
const placesOf = (outcome: AppendResult | DomainError | undefined): [number, boolean][] => {
  if (outcome instanceof DomainError || !outcome) throw new Error(`refused: ${codeOf(outcome)}`);
  return outcome.events.map(({ position, duplicate }) => [position, duplicate]);
};

describe('the plan of a flush', () => {
  it('treats an id that comes twice in one request as one event', () => {
    const { outcomes, rows } = plan([request([newEvent({ id: 'x' }), newEvent({ id: 'y' }), newEvent({ id: 'x' })])]);
    expect(placesOf(outcomes[0])).toEqual([
      [1, false],
      [2, false],
      [1, true],
    ]);
    expect(rows.get('log-a')).toHaveLength(2);
  });

  it('treats an id that comes in two requests as one event, and refuses other content under it', () => {
    const requests = [{ data: '1' }, { data: '1' }, { data: '2' }].map((fields) =>
      request([newEvent({ id: 'x', ...fields })]),
    );
    const { outcomes, rows } = plan(requests);
    expect(outcomes.slice(0, 2).map(placesOf)).toEqual([[[1, false]], [[1, true]]]);
    expect(codeOf(outcomes[2])).toBe('event-id-conflict');
    expect(rows.get('log-a')).toHaveLength(1);
  });

  it('refuses a request that contradicts itself under one id', () => {
    const { outcomes, rows } = plan([request([newEvent({ id: 'x', data: '1' }), newEvent({ id: 'x', data: '2' })])]);
    expect(codeOf(outcomes[0])).toBe('event-id-conflict');
    expect(rows.size).toBe(0);
  });

  it('keeps ids of different topics apart', () => {
    const ends = new Map(LOGS.map((uid) => [uid, endAt(4)]));
    const { outcomes } = plan(
      LOGS.map((topicUid, i) => request([newEvent({ id: 'x', data: `${i}` })], { topicUid })),
      { ends },
    );
    expect(outcomes.map(placesOf)).toEqual([[[5, false]], [[5, false]]]);
  });

  it.each<[string, Partial<NewEvent>, Partial<NewEvent>, boolean]>([
    ['type', { type: 'a' }, { type: 'b' }, false],
    ['data', { data: '1' }, { data: '1.0' }, false],
    ['key', { key: 'a' }, { key: null }, false],
    ['stream', { stream: 'a' }, { stream: 'b' }, false],
    ['schema version', { schemaVersion: 1 }, { schemaVersion: 2 }, false],
    ['metadata', { metadata: '{}' }, { metadata: null }, false],
    ['another time', { occurredAt: 1 }, { occurredAt: 2 }, false],
    ['no time the second time', { occurredAt: 1 }, { occurredAt: null }, true],
    ['the trace', { traceparent: 'a', correlationId: 'a' }, { traceparent: 'b', correlationId: 'b' }, true],
  ])('decides whether a repeated event is the same: %s', (_, first, second, same) => {
    const known = new Map([['log-a', new Map([['x', stored(newEvent({ id: 'x', ...first }), 3)]])]]);
    const { outcomes } = plan([request([newEvent({ id: 'x', ...second })])], {
      known,
      ends: new Map([['log-a', endAt(3)]]),
    });
    expect(codeOf(outcomes[0])).toBe(same ? undefined : 'event-id-conflict');
  });

  it('reports an event whose earlier try lost its reply as new to the first request, as a duplicate to the next', () => {
    const ids = ['x', 'gen', 'older'];
    const known = new Map([['log-a', new Map(ids.map((id, i) => [id, stored(newEvent({ id }), 3 + i)]))]]);
    const requests = [
      request([newEvent({ id: 'x' }), newEvent({ id: 'gen', idGiven: false }), newEvent({ id: 'older' })]),
      request([newEvent({ id: 'x' })]),
      request([newEvent({ id: 'late' })]),
    ];
    const ours = new Set([placeKey('log-a', 'x', 3), placeKey('log-a', 'gen', 4), placeKey('log-a', 'older', 8)]);
    const { outcomes, rows } = plan(requests, { known, ours, ends: new Map([['log-a', endAt(5)]]) });
    const first = [
      [3, false],
      [4, false],
      [5, true],
    ];
    expect(outcomes.map(placesOf)).toEqual([first, [[3, true]], [[6, false]]]);
    expect(rows.get('log-a')?.map(({ id }) => id)).toEqual(['late']);
  });

  it('does not check a repetition against the version that its stream had before', () => {
    const event = newEvent({ id: 'x', stream: 's' });
    const known = new Map([['log-a', new Map([['x', stored(event, 1, 1)]])]]);
    const ends = new Map([['log-a', endAt(2, { streams: new Map([['s', 2]]) })]]);
    const again = request([event], { expectedStreamVersion: 0 });
    const more = request([event, newEvent({ id: 'y', stream: 's' })], { expectedStreamVersion: 0 });
    const { outcomes } = plan([again, more], { known, ends });
    expect(placesOf(outcomes[0])).toEqual([[1, true]]);
    expect(outcomes[1]).toMatchObject({
      code: 'stream-version-conflict',
      extensions: { actualVersion: 2, expectedVersion: 0 },
    });
  });

  it('counts in its versions what earlier requests of the same flush will have added', () => {
    const requests = [0, 0, 1, 3].map((expectedStreamVersion) =>
      request([newEvent({ stream: 's' })], { expectedStreamVersion }),
    );
    const { outcomes } = plan(requests);
    expect(outcomes.map(codeOf)).toEqual([undefined, 'stream-version-conflict', undefined, 'stream-version-conflict']);
  });

  it('refuses requests for a log that does not exist', () => {
    const { outcomes, rows } = plan([request([newEvent()], { topicUid: 'nowhere' }), request([newEvent()])]);
    expect(outcomes.map(codeOf)).toEqual(['log-gone', undefined]);
    expect([...rows.keys()]).toEqual(['log-a']);
  });

  it('keeps the last recorded time when the clock steps back', () => {
    const ends = new Map([['log-a', endAt(7, { recordedAt: 99, logBytes: 50 })]]);
    const { rows } = plan([request([newEvent({ bytes: 5 }), newEvent({ bytes: 6 })])], { ends, now: 10 });
    expect(rows.get('log-a')).toMatchObject([
      { position: 8, recordedAt: 99, logBytes: 55 },
      { position: 9, recordedAt: 99, logBytes: 61 },
    ]);
  });
});

describe('any plan', () => {
  const anEvent = fc
    .record({
      id: fc.option(fc.constantFrom('i1', 'i2', 'i3', 'i4', 'i5'), { nil: undefined, freq: 1 }),
      data: fc.constantFrom('1', '1', '1', '2'),
      bytes: fc.integer({ min: 1, max: 9 }),
    })
    .map(({ id, ...fields }) => newEvent({ ...fields, ...(id === undefined ? {} : { id }) }));
  let generated = 0;
  const aRequest = fc
    .record({
      topicUid: fc.constantFrom(...LOGS),
      stream: fc.option(fc.constantFrom('s', 't'), { freq: 2 }),
      events: fc.array(anEvent, { minLength: 1, maxLength: 4 }),
      expectedStreamVersion: fc.oneof(fc.constant('any' as const), fc.integer({ min: 0, max: 5 })),
    })
    .map(({ topicUid, stream, events, expectedStreamVersion }) =>
      request(
        events.map((event) => ({ ...event, stream, id: event.idGiven ? event.id : `g${++generated}` })),
        { topicUid, expectedStreamVersion: stream === null ? 'any' : expectedStreamVersion },
      ),
    );
  const someRequests = fc.array(aRequest, { minLength: 1, maxLength: 12 });
  const start = (): Map<string, KnownEnd> =>
    new Map(
      LOGS.map((uid, i) => [
        uid,
        endAt(i * 10, { logBytes: 100, recordedAt: i * 500, streams: new Map([['s', i * 3]]) }),
      ]),
    );
  const knownOnes = new Map([['log-b', new Map([['i1', stored(newEvent({ id: 'i1', stream: 's' }), 2, 1)]])]]);
  const planned = (requests: readonly AppendRequest[], now = 250): AppendPlan =>
    plan(requests, { ends: start(), known: knownOnes, now });

  const holds = (property: (requests: AppendRequest[]) => void): void =>
    fc.assert(fc.property(someRequests, property), { numRuns: 300 });

  it('continues each log without gaps in positions and versions, and its bytes and time', () => {
    holds((requests) => {
      for (const [uid, rows] of planned(requests).rows) {
        const end = start().get(uid)!;
        const versions = new Map(end.streams);
        const next = (stream: string | null): number | null => {
          if (stream === null) return null;
          versions.set(stream, (versions.get(stream) ?? 0) + 1);
          return versions.get(stream)!;
        };
        expect(rows.map(({ position }) => position)).toEqual(rows.map((_, i) => end.position + 1 + i));
        expect(rows.map(({ streamVersion }) => streamVersion)).toEqual(rows.map(({ stream }) => next(stream)));
        expect(new Set(rows.map(({ recordedAt }) => recordedAt))).toEqual(new Set([Math.max(end.recordedAt, 250)]));
        // Events under one id may differ in size and yet be the same: the request has the size of generated ones.
        const sizes = new Map(requests.flatMap(({ events }) => events.map(({ id, bytes }) => [id, bytes])));
        const grown = rows.map(({ logBytes }, i) => logBytes - (rows[i - 1]?.logBytes ?? end.logBytes));
        expect(grown).toEqual(rows.map(({ id }, i) => (id.startsWith('g') ? sizes.get(id) : grown[i])));
        expect(Math.min(...grown)).toBeGreaterThan(0);
      }
    });
  });

  it('stores all events of a request or none, each under the reported position, and no id twice', () => {
    holds((requests) => {
      const { outcomes, rows } = planned(requests);
      let places = 0;
      outcomes.forEach((outcome, i) => {
        if (outcome instanceof DomainError) return;
        const own = rows.get(requests[i]!.topicUid) ?? [];
        outcome.events.forEach(({ id, position, streamVersion, duplicate }, j) => {
          expect(id).toBe(requests[i]!.events[j]!.id);
          const row = own.find((candidate) => candidate.position === position) ?? knownOnes.get('log-b')!.get(id);
          expect(row).toMatchObject({ id, data: requests[i]!.events[j]!.data, streamVersion });
          if (!duplicate) places++;
        });
      });
      const all = [...rows].flatMap(([uid, own]) => own.map(({ id }) => `${uid} ${id}`));
      expect(new Set(all).size).toBe(all.length);
      expect(places).toBe(all.length);
    });
  });

  it('is the same without the requests that it refuses', () => {
    holds((requests) => {
      const { outcomes, rows } = planned(requests);
      const accepted = requests.filter((_, i) => !(outcomes[i] instanceof DomainError));
      const alone = planned(accepted);
      expect(alone.rows).toEqual(rows);
      expect(alone.outcomes).toEqual(outcomes.filter((outcome) => !(outcome instanceof DomainError)));
    });
  });

  it('changes neither the ends nor the known events', () => {
    holds((requests) => {
      const ends = start();
      plan(requests, { ends, known: knownOnes });
      expect(ends).toEqual(start());
      expect(knownOnes.get('log-b')!.size).toBe(1);
    });
  });

  it('reports a repeated flush with the same positions, all duplicates, and stores nothing', () => {
    holds((requests) => {
      const given = requests
        .map((one) => ({ ...one, events: one.events.filter(({ idGiven }) => idGiven) }))
        .filter(({ events }) => events.length > 0);
      const first = planned(given);
      const known = new Map(LOGS.map((uid) => [uid, new Map(first.rows.get(uid)?.map((row) => [row.id, row]))]));
      for (const [id, event] of knownOnes.get('log-b')!) known.get('log-b')!.set(id, event);
      const ends = new Map(
        [...start()].map(([uid, end]) => [
          uid,
          { ...end, position: first.rows.get(uid)?.at(-1)?.position ?? end.position },
        ]),
      );
      const accepted = given.filter((_, i) => !(first.outcomes[i] instanceof DomainError));
      const again = plan(accepted, { ends, known });
      expect(again.rows.size).toBe(0);
      const expected = first.outcomes
        .filter((outcome) => !(outcome instanceof DomainError))
        .map((outcome) => placesOf(outcome).map(([position]) => [position, true]));
      expect(again.outcomes.map(placesOf)).toEqual(expected);
    });
  });
});
