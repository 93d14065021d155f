import { domainToASCII, domainToUnicode } from 'node:url';

/** Characters of no host name: `domainToASCII` would read them as an escape, or as the end of the host. */
const NO_HOST = /[^a-z0-9._\-\u{80}-\u{10ffff}]/u;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const HOST_MAX = 253;

/** The name of a user who has not given one. */
export const defaultName = (email: string): string => email.split('@', 1)[0]!;

/**
 * E-mails that look the same to a reader, or reach the same mailbox, are the same account. The domain is the one that is looked up in DNS (IDNA,
 * no dot at its end), which is also what mail servers, and people who look closely, can distinguish. A domain that is not a valid host name is
 * not changed.
 */
export function normalizeEmail(email: string): string {
  const [local, host] = partsOf(email);
  return host === undefined ? folded(email) : local + host;
}

/** As people write it: `xn--bcher-kva.example` is `bücher.example`. */
export function unicodeEmail(email: string): string {
  const [local, host] = partsOf(email);
  return host === undefined ? folded(email) : local + domainToUnicode(host);
}

const folded = (email: string): string => email.normalize('NFKC').toLowerCase().trim();

function partsOf(email: string): [local: string, host: string | undefined] {
  const text = folded(email);
  const at = text.lastIndexOf('@') + 1;
  const domain = at === 0 ? '' : text.slice(at);
  const host = NO_HOST.test(domain) ? '' : domainToASCII(domain).replace(/\.$/, '');
  const known = host.length <= HOST_MAX && host.split('.').every((label) => LABEL.test(label));
  return [text.slice(0, at), known ? host : undefined];
}
