import type { DomainError } from '../../../kernel/domain-error.js';
import { parseEvents } from './event-body.js';

const LIMITS = { eventBytesMax: 10_000, batchEventsMax: 10, batchBytesMax: 100_000 };
const CONTEXT = { correlationId: 'c', traceparent: null, tracestate: null };

const parsed = (event: object) => parseEvents(Buffer.from(JSON.stringify(event)), LIMITS, CONTEXT)[0]!;

function refusedOf(event: object): unknown {
  try {
    parsed(event);
    return [];
  } catch (error) {
    return (error as DomainError).extensions.errors!.map(({ pointer }) => pointer);
  }
}

describe('an event', () => {
  it.each(['key', 'stream'])('has a %s of as many characters as it may, whatever each takes', (field) => {
    const fits = '😀'.repeat(255);
    expect(parsed({ type: 't', data: 1, [field]: fits })).toMatchObject({ [field]: fits });
    expect(refusedOf({ type: 't', data: 1, [field]: `${fits}x` })).toEqual([`/${field}`]);
  });

  it('may have null for every optional field, which means that it is left out', () => {
    const left = { type: 't', data: null };
    const names = ['id', 'key', 'stream', 'time', 'schemaVersion', 'correlationId', 'causationId', 'metadata'];
    const nulls = parsed({ ...left, ...Object.fromEntries(names.map((name) => [name, null])) });
    expect({ ...nulls, id: '' }).toEqual({ ...parsed(left), id: '' });
    expect(nulls.id).toMatch(/^evt_/);
    expect(nulls.idGiven).toBe(false);
    expect(refusedOf({ type: null, data: 1 })).toEqual(['/type']);
  });
});
