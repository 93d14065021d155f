/** What a reader saw of an event in a log. */
export interface ObservedEvent {
  readonly id: string;
  readonly position: number;
  readonly key?: string | null;
  readonly stream?: string | null;
  readonly streamVersion?: number | null;
  readonly recordedAt?: number;
  /** Of the event, and of the log up to it. */
  readonly bytes?: number;
  readonly logBytes?: number;
}

export type FindingKind =
  | 'lost' // acknowledged, and not in the log
  | 'misplaced' // acknowledged at another position than the log has it
  | 'refused-but-present'
  | 'unasked' // in the log, but never published
  | 'duplicated' // one id at two positions of the log, or delivered again after its checkpoint
  | 'torn' // a publish of which only a part is in the log
  | 'hole' // the log lacks a position
  | 'two-values' // one position, two events: in the log, among answers and observations
  | 'miscounted' // the bytes of the log do not add up
  | 'inversion' // something came after what it had to precede
  | 'skipped' // a reader or a consumer went past an event
  | 'ahead-of-commit'; // a reader saw what the log does not have

export interface Finding {
  readonly kind: FindingKind;
  readonly log: string;
  readonly detail: string;
}

export type Ordering = 'topic' | 'key' | 'none';

type Outcome = 'open' | 'acknowledged' | 'refused' | 'unknown';

interface Published {
  readonly log: string;
  readonly ids: readonly string[];
  /** The highest acknowledged position of the log when this publish was sent. */
  readonly after: number;
  outcome: Outcome;
  places: readonly { readonly id: string; readonly position: number; readonly duplicate: boolean }[];
}

interface Observer {
  readonly name: string;
  readonly log: string;
  readonly ordering: Ordering;
  /** Readers see each event once; deliveries may be repeated. */
  readonly once: boolean;
  readonly from: number;
  readonly seen: ObservedEvent[];
}

/** The outcome of a publish: exactly one of these is called. */
export interface Publish {
  acknowledged(places: Published['places']): void;
  refused(): void;
  /** No answer, or one that leaves open whether the events were stored. */
  unknown(): void;
}

/**
 * A record of all requests to logs and all responses, and its checker. It does not depend on how the store works, so it can also check a
 * store that is broken on purpose. One process keeps the record, so "before" is the order of calls.
 */
export class History {
  private readonly publishes: Published[] = [];
  private readonly observers = new Map<string, Observer>();
  private readonly logs = new Map<string, readonly ObservedEvent[]>();
  private readonly acknowledgedTo = new Map<string, number>();

  publishing(log: string, ids: readonly string[]): Publish {
    const published: Published = { log, ids, after: this.acknowledgedTo.get(log) ?? 0, outcome: 'open', places: [] };
    this.publishes.push(published);
    const settle = (outcome: Outcome): void => {
      if (published.outcome !== 'open') throw new Error('a publish has two answers');
      published.outcome = outcome;
    };
    return {
      acknowledged: (places) => {
        settle('acknowledged');
        published.places = places;
        const highest = Math.max(this.acknowledgedTo.get(log) ?? 0, ...places.map(({ position }) => position));
        this.acknowledgedTo.set(log, highest);
      },
      refused: () => settle('refused'),
      unknown: () => settle('unknown'),
    };
  }

  /** A reader that begins after a position and sees each event once, in order. */
  reader(name: string, log: string, from = 0): (event: ObservedEvent) => void {
    return this.observer({ name, log, ordering: 'topic', once: true, from, seen: [] });
  }

  /** A consumer: at least once, its first deliveries in the order that it asked for. */
  consumer(name: string, log: string, ordering: Ordering, from = 0): (event: ObservedEvent) => void {
    return this.observer({ name, log, ordering, once: false, from, seen: [] });
  }

  private observer(observer: Observer): (event: ObservedEvent) => void {
    this.observers.set(`${observer.name} ${observer.log}`, observer);
    return (event) => void observer.seen.push(event);
  }

  /** The whole log, read after everything has ended. Readers and consumers must have reached its end. */
  ended(log: string, events: readonly ObservedEvent[]): void {
    this.logs.set(log, events);
  }

  judge(): Finding[] {
    const findings: Finding[] = [];
    const named = new Set([...this.publishes, ...this.observers.values()].map(({ log }) => log));
    for (const log of named) if (!this.logs.has(log)) throw new Error(`Nobody has read log ${log} to its end.`);
    for (const [log, events] of this.logs) {
      const note = (kind: FindingKind, detail: string): void => void findings.push({ kind, log, detail });
      const publishes = this.publishes.filter((published) => published.log === log);
      const observers = [...this.observers.values()].filter((observer) => observer.log === log);
      judgeLog(events, note);
      judgePublishes(publishes, events, note);
      for (const observer of observers) judgeObserver(observer, events, note);
      judgeValues(publishes, observers, events, note);
    }
    return findings;
  }
}

type Note = (kind: FindingKind, detail: string) => void;

/** The log by itself: dense, no id twice, versions of each stream 1, 2, 3 … */
function judgeLog(events: readonly ObservedEvent[], note: Note): void {
  const places = new Map<string, number>();
  const versions = new Map<string, number>();
  let previous = (events[0]?.position ?? 1) - 1;
  let before: ObservedEvent | undefined;
  for (const event of events) {
    const { id, position, stream, streamVersion } = event;
    if (position > previous + 1) note('hole', `${previous + 1} to ${position - 1}`);
    if (position < previous) note('inversion', `${position} after ${previous}`);
    previous = position;
    const other = places.get(id);
    if (other !== undefined && other !== position) note('duplicated', `${id} at ${other} and ${position}`);
    places.set(id, position);
    judgeSums(before, event, note);
    before = event;
    if (stream === null || stream === undefined) continue;
    const expected = (versions.get(stream) ?? 0) + 1;
    if (streamVersion !== expected)
      note('inversion', `stream ${stream} goes on with ${streamVersion}, not ${expected}`);
    versions.set(stream, streamVersion ?? expected);
  }
}

function judgeSums(
  before: ObservedEvent | undefined,
  { position, recordedAt, bytes, logBytes }: ObservedEvent,
  note: Note,
): void {
  if (recordedAt === undefined || bytes === undefined || logBytes === undefined) return;
  if (recordedAt < (before?.recordedAt ?? 0)) note('inversion', `${position} was recorded before the one before it`);
  if (logBytes !== (before?.logBytes ?? 0) + bytes) note('miscounted', `${logBytes} bytes at ${position}`);
}

function judgePublishes(publishes: readonly Published[], events: readonly ObservedEvent[], note: Note): void {
  const places = new Map(events.map(({ id, position }) => [id, position]));
  const welcome = new Set<string>();
  const timesAsked = new Map<string, number>();
  for (const { outcome, ids } of publishes) {
    for (const id of ids) {
      timesAsked.set(id, (timesAsked.get(id) ?? 0) + 1);
      if (outcome !== 'refused') welcome.add(id);
    }
  }
  for (const { outcome, ids, places: answered, after } of publishes) {
    const own = ids.filter((id) => timesAsked.get(id) === 1); // an id that others published, too, may be theirs
    const present = own.filter((id) => places.has(id));
    for (const { id, position, duplicate } of answered) {
      const actual = places.get(id);
      if (actual === undefined) note('lost', `${id} was acknowledged at ${position}`);
      else if (actual !== position) note('misplaced', `${id} was acknowledged at ${position}, and is at ${actual}`);
      // Of calls that do not overlap, the later one has the higher positions.
      if (!duplicate && position <= after)
        note('inversion', `${id} got ${position} after ${after} had been acknowledged`);
    }
    if (outcome === 'acknowledged' && answered.length !== ids.length)
      note('lost', `${ids.length - answered.length} had no answer`);
    if (outcome === 'unknown' && present.length > 0 && present.length < own.length)
      note('torn', `${present.length} of ${own.join()}`);
    if (outcome === 'refused')
      for (const id of ids) if (places.has(id) && !welcome.has(id)) note('refused-but-present', id);
  }
  for (const id of places.keys()) if (!timesAsked.has(id)) note('unasked', id);
}

function judgeObserver(
  { name, ordering, once, from, seen }: Observer,
  events: readonly ObservedEvent[],
  note: Note,
): void {
  const stored = new Map(events.map(({ position, id }) => [position, id]));
  const met = new Set<number>();
  const last = new Map<string, number>();
  for (const { id, position, key } of seen) {
    if (stored.get(position) !== id) note('ahead-of-commit', `${name} saw ${id} at ${position}`);
    if (met.has(position)) {
      if (once) note('duplicated', `${name} saw ${position} again`);
      continue;
    }
    met.add(position);
    if (ordering === 'none' || (ordering === 'key' && !key)) continue;
    const line = ordering === 'key' ? key! : '';
    const before = last.get(line) ?? from;
    if (position < before) note('inversion', `${name} saw ${position} after ${before}`);
    last.set(line, Math.max(position, before));
  }
  const missed = events.filter(({ position }) => position > from && !met.has(position));
  if (missed.length > 0) note('skipped', `${name} never saw ${missed.length}, the first at ${missed[0]!.position}`);
}

/** One position, one event, in all responses and observations. */
function judgeValues(
  publishes: readonly Published[],
  observers: readonly Observer[],
  events: readonly ObservedEvent[],
  note: Note,
): void {
  const values = new Map<number, string>();
  const tellings: (readonly { id: string; position: number }[])[] = [events];
  for (const { places } of publishes) tellings.push(places);
  for (const { seen } of observers) tellings.push(seen);
  for (const { id, position } of tellings.flat()) {
    const other = values.get(position);
    if (other !== undefined && other !== id) note('two-values', `${position} is ${other} and ${id}`);
    values.set(position, id);
  }
}
