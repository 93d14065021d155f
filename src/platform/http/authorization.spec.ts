import { parseAuthorization } from './authorization.js';

const bearer = { scheme: 'bearer', credential: 'a.b-c_d~e+f/g==' };

describe('the Authorization header', () => {
  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('names its scheme in any case: %s', (scheme) => {
    expect(parseAuthorization(`${scheme} ${bearer.credential}`)).toEqual(bearer);
  });

  it('has one space or more after the scheme', () => {
    expect(parseAuthorization(`Bearer  ${bearer.credential}`)).toEqual(bearer);
    expect(parseAuthorization(`Bearer${' '.repeat(100)}${bearer.credential}`)).toEqual(bearer);
  });

  it.each(['', 'Bearer', 'Bearer ', 'Bearer\ta', ' Bearer a', 'Bearer a b', 'Bearer a, Bearer b', 'a.b.c'])(
    'is refused as anything else: "%s"',
    (header) => {
      expect(parseAuthorization(header)).toBeUndefined();
    },
  );
});
