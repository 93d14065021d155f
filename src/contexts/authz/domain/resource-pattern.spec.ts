import { parsePattern } from './resource-pattern.js';

describe('resources', () => {
  it.each([
    '',
    'tenant/a',
    'tenants//a',
    'tenants/a*b',
    'tenants/**/topics/x',
    '/tenants/a',
    'tenants/a/',
    'tenants/..%2f',
  ])('"%s" is none', (text) => {
    expect(() => parsePattern(text)).toThrow(/is no resource/);
  });

  it('of a type without an id are all of the type', () => {
    expect(parsePattern('tenants/a/namespaces').text).toBe('tenants/a/namespaces/*');
  });
});
