import { isUtf8 } from 'node:buffer';

/** What a header says, or why it says nothing. */
export type HeaderText = { readonly text: string } | { readonly refusal: string };

const QUOTED_STRING = /^"(?:[^"\\]|\\.)*"$/s;

/**
 * The value of an attribute from its header (CloudEvents HTTP binding, 3.1.3.2): a value that is a quoted string is unquoted, then
 * percent-decoded once. Node shows each byte of a header as a character; what is beyond ASCII is taken as UTF-8, or refused.
 */
export function attributeText(header: string): HeaderText {
  const read = utf8Text(header);
  if ('refusal' in read) return read;
  const quoted = read.text.startsWith('"');
  if (quoted && !QUOTED_STRING.test(read.text)) return { refusal: 'begins with a quote and is no quoted string' };
  const plain = quoted ? read.text.slice(1, -1).replace(/\\(.)/gs, '$1') : read.text;
  try {
    return { text: decodeURIComponent(plain) };
  } catch {
    return { refusal: 'is not percent-encoded UTF-8' };
  }
}

export function utf8Text(header: string): HeaderText {
  const bytes = Buffer.from(header, 'latin1');
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { refusal: 'has bytes that are not UTF-8' };
}
