import { defineErrors } from '../../kernel/domain-error.js';

export const bodyError = defineErrors({
  'body-not-utf8': { kind: 'invalid', title: 'The body is not UTF-8' },
  'body-not-json': { kind: 'invalid', title: 'The body is not JSON' },
  'body-too-deep': { kind: 'invalid', title: 'The body is nested too deeply' },
  'body-duplicate-key': { kind: 'invalid', title: 'An object of the body names a key twice' },
  'body-forbidden-key': { kind: 'invalid', title: 'The body has a key that is not allowed' },
  'body-too-many-keys': { kind: 'invalid', title: 'An object of the body has too many keys' },
  'body-too-many-values': { kind: 'invalid', title: 'The body holds too many values' },
});

/** A JSON pointer (RFC 6901) from its parts. */
export function jsonPointer(parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
