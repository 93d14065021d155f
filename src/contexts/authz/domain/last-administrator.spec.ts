import { requireActiveHolder, requireOtherHolder } from './last-administrator.js';

const lastHolder = expect.objectContaining({ code: 'last-holder' }) as Error;

describe('who loses the role that must stay', () => {
  it.each([
    ['nobody else holds it', { all: 0, active: 0 }, { active: true }],
    ['nobody else holds it, who is suspended', { all: 0, active: 0 }, { active: false }],
    ['all others are suspended', { all: 2, active: 0 }, { active: true }],
  ])('keeps it where %s', (_, others, loser) => {
    expect(() => requireOtherHolder('acme', others, loser)).toThrow(lastHolder);
  });

  it('loses it where somebody active stays, and where it would help nobody to keep it', () => {
    expect(() => requireOtherHolder('acme', { all: 2, active: 1 }, { active: true })).not.toThrow();
    expect(() => requireOtherHolder('acme', { all: 1, active: 0 }, { active: false })).not.toThrow();
  });
});

it('an account stays that is the last active one with the role', () => {
  expect(() => requireActiveHolder('$system', false)).toThrow(lastHolder);
  requireActiveHolder('$system', true);
});
