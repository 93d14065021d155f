import { History, type FindingKind, type Ordering, type ObservedEvent } from './history-checker.js';

const event = (position: number, fields: Partial<ObservedEvent> = {}): ObservedEvent => ({
  id: `e${position}`,
  position,
  ...fields,
});
const acknowledged = (
  history: History,
  ids: readonly string[],
  positions: readonly number[],
  duplicate = false,
): void =>
  history.publishing('log', ids).acknowledged(positions.map((position, i) => ({ id: ids[i]!, position, duplicate })));

/** A log of `count` events, each published and acknowledged separately. */
function sound(count: number): History {
  const history = new History();
  for (let position = 1; position <= count; position++) acknowledged(history, [`e${position}`], [position]);
  history.ended(
    'log',
    Array.from({ length: count }, (_, i) => event(i + 1)),
  );
  return history;
}

const kinds = (history: History): FindingKind[] => [...new Set(history.judge().map(({ kind }) => kind))];

describe('the history checker', () => {
  it('has nothing to say about a sound history', () => {
    const history = sound(5);
    const see = history.reader('reader', 'log');
    const deliver = history.consumer('consumer', 'log', 'topic', 2);
    for (let position = 1; position <= 5; position++) see(event(position));
    for (const position of [3, 4, 4, 3, 5]) deliver(event(position));
    history.publishing('log', ['never-stored', 'neither']).unknown();
    history.publishing('log', ['stored-neither']).refused();
    acknowledged(history, ['e2', 'e2'], [2, 2], true);
    expect(history.judge()).toEqual([]);
  });

  const broken: [string, FindingKind, (history: History) => void][] = [
    ['an acknowledged event that the log does not have', 'lost', (history) => acknowledged(history, ['gone'], [4])],
    ['an acknowledgement of a part', 'lost', (history) => acknowledged(history, ['e3', 'gone'], [3], true)],
    [
      'an acknowledged position that is another one',
      'misplaced',
      (history) => acknowledged(history, ['e3'], [2], true),
    ],
    [
      'a refused event that the log has',
      'refused-but-present',
      (history) => {
        history.publishing('log', ['no']).refused();
        history.ended('log', [event(1), event(2), event(3), event(4, { id: 'no' })]);
      },
    ],
    [
      'an event that was never published',
      'unasked',
      (history) =>
        history.ended(
          'log',
          [1, 2, 3, 4].map((at) => event(at)),
        ),
    ],
    [
      'an event at two positions',
      'duplicated',
      (history) => history.ended('log', [event(1), event(2), event(3), event(4, { id: 'e1' })]),
    ],
    [
      'a part of a publish whose answer was lost',
      'torn',
      (history) => {
        history.publishing('log', ['e4', 'e5']).unknown();
        history.ended(
          'log',
          [1, 2, 3, 4].map((at) => event(at)),
        );
      },
    ],
    ['a missing position', 'hole', (history) => history.ended('log', [event(1), event(3)])],
    [
      'two events at one position',
      'two-values',
      (history) => history.ended('log', [event(1), event(2), event(3), event(3, { id: 'e9' })]),
    ],
    ['two answers for one position', 'two-values', (history) => acknowledged(history, ['e9'], [3], true)],
    [
      'a version of a stream that is left out',
      'inversion',
      (history) =>
        history.ended(
          'log',
          [1, 2, 3].map((at) => event(at, { stream: 's', streamVersion: at === 3 ? 4 : at })),
        ),
    ],
    [
      'a position before one that had been acknowledged before the publish',
      'inversion',
      (history) => acknowledged(history, ['e2'], [2]),
    ],
  ];
  it.each(broken)('finds %s', (_, kind, breaks) => {
    const history = sound(3);
    breaks(history);
    expect(kinds(history)).toContain(kind);
  });

  it.each<[FindingKind, number[]]>([
    ['skipped', [1, 3]],
    ['skipped', [1, 2]],
    ['inversion', [1, 3, 2]],
    ['duplicated', [1, 2, 2, 3]],
    ['ahead-of-commit', [1, 2, 3, 4]],
  ])('finds what a reader must not see: %s in %j', (kind, positions) => {
    const history = sound(3);
    const see = history.reader('reader', 'log');
    for (const position of positions) see(event(position));
    expect(kinds(history)).toContain(kind);
  });

  it.each<[Ordering, string, FindingKind[]]>([
    ['topic', 'aaaa', ['inversion']],
    ['key', 'abba', ['inversion']],
    ['key', 'abab', []],
    ['none', 'aaaa', []],
  ])('checks first deliveries by the requested order: %s, keys %s', (ordering, keys, expected) => {
    const history = sound(4);
    const deliver = history.consumer('consumer', 'log', ordering);
    for (const position of [2, 4, 1, 3]) deliver(event(position, { key: keys[position - 1]! }));
    expect(kinds(history)).toEqual(expected);
  });

  it('does not let one publish have two answers', () => {
    const publish = new History().publishing('log', ['e1']);
    publish.unknown();
    expect(() => publish.refused()).toThrow('two answers');
  });
});
