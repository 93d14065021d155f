import type { DomainError } from '../../../kernel/domain-error.js';
import { checkConstraints, type Constraints } from './constraints.js';

function refused(constraints: Constraints): string[] {
  try {
    checkConstraints(constraints, 'allow', ['event:read']);
    return [];
  } catch (error) {
    return (error as DomainError).extensions.errors!.map(({ pointer }) => pointer);
  }
}

describe('constraints of a grant', () => {
  it.each(['*', 'order.*', 'order.created', 'x'.repeat(255)])('accept the type %j', (type) => {
    expect(refused({ eventTypes: [type] })).toEqual([]);
  });

  it.each(['', '**', 'a*b', 'a b', 'a\n', 'a\0', 'ä', 'a\ud800', 'x'.repeat(256)])('refuse the type %j', (type) => {
    expect(refused({ eventTypes: [type] })).toEqual(['/constraints/eventTypes']);
  });

  it('accept times that mean the same everywhere, and refuse those that depend on the time zone of this machine', () => {
    expect(refused({ validFrom: '2026-01-01T00:00:00Z', validUntil: '2026-01-01T00:00:00-01:00' })).toEqual([]);
    for (const time of [
      '2026-01-01',
      '2026-01-01T00:00:00',
      'Jan 1 2026',
      '+275760-09-13T00:00:00Z',
      '2026-02-30T00:00:00Z',
    ])
      expect([time, refused({ validFrom: time }), refused({ validUntil: time })]).toEqual([
        time,
        ['/constraints/validFrom'],
        ['/constraints/validUntil'],
      ]);
    expect(refused({ validFrom: '2026-01-01T00:00:00Z', validUntil: '2026-01-01T00:00:00Z' })).toEqual([
      '/constraints/validUntil',
    ]);
  });
});
