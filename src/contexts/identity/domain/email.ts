import { domainToASCII, domainToUnicode } from 'node:url';

/** In no name of a host: `domainToASCII` would read it as an escape, or as the end of the host. */
const NO_HOST = /[^a-z0-9._\-\u{80}-\u{10ffff}]/u;
const LABEL = /^[a-z0-9_-]{1,63}$/;
const HOST_MAX = 253;

/** What somebody is called who has not said it. */
export const nameFrom = (email: string): string => email.split('@', 1)[0]!;

/**
 * E-mails that look the same to a reader, or reach the same mailbox, are the same account. The domain is the one that DNS is asked for
 * (IDNA, no dot at its end), which is also what mail servers and people who look closely can tell from others. What could be no name of a
 * host stays as it is.
 */
export function normalEmail(email: string): string {
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
