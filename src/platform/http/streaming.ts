import { Readable } from 'node:stream';
import type { Reply } from './request.js';

/** Calls `then` when the response is sent, or the client is gone. */
export function whenClosed(reply: Reply, then: () => void): void {
  if (reply.raw.closed) then();
  else reply.raw.once('close', then);
}

/** Aborted when the response is sent, or the client is gone. */
export function untilClosed(reply: Reply): AbortSignal {
  const controller = new AbortController();
  whenClosed(reply, () => controller.abort());
  return controller.signal;
}

/** A piece for each page. */
export async function* lines<Item>(
  pages: AsyncIterable<readonly Item[]>,
  line: (item: Item) => string,
): AsyncGenerator<string> {
  for await (const page of pages) yield page.map(line).join('');
}

/** Sends pieces as they come, no faster than they are read. An error breaks the connection: a truncated response must not look complete. */
export async function sendPieces(
  reply: Reply,
  headers: Readonly<Record<string, string>>,
  pieces: AsyncGenerator<string>,
): Promise<void> {
  await reply.headers(headers).send(Readable.from(pieces));
}
