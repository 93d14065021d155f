import { requireActiveHolder, requireOtherHolder } from './last-administrator.js';

const lastHolder = expect.objectContaining({ code: 'last-holder' }) as Error;

describe('a holder of the role that must stay', () => {
  it.each([
    ['no one else holds it', { all: 0, active: 0 }, { active: true }],
    ['no one else holds it and the holder is suspended', { all: 0, active: 0 }, { active: false }],
    ['all others are suspended', { all: 2, active: 0 }, { active: true }],
  ])('keeps it where %s', (_, others, loser) => {
    expect(() => requireOtherHolder('acme', others, loser)).toThrow(lastHolder);
  });

  it('can lose it where an active holder remains, and where keeping it would not help', () => {
    expect(() => requireOtherHolder('acme', { all: 2, active: 1 }, { active: true })).not.toThrow();
    expect(() => requireOtherHolder('acme', { all: 1, active: 0 }, { active: false })).not.toThrow();
  });
});

it('the last active account with the role stays', () => {
  expect(() => requireActiveHolder('$system', false)).toThrow(lastHolder);
  requireActiveHolder('$system', true);
});
