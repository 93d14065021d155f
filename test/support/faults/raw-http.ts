import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface RawAnswer {
  /** 0: the connection was closed without a response. */
  readonly status: number;
  readonly text: string;
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // Connections break in these tests: readers learn of the end by the close event.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends raw bytes, which no HTTP client would do, and reads until the server responds or closes the connection. */
export function sendRaw(url: string, ...pieces: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  return talk(url, pieces, (text) => text.includes('\r\n\r\n'));
}

/** The same until the connection ends, with everything received, and with a pause after each chunk. */
export function sendUntilClosed(url: string, pieces: Iterable<string>, everyMs = 0): Promise<RawAnswer> {
  return talk(url, pieces, () => false, everyMs);
}

async function talk(
  url: string,
  pieces: Iterable<string | Uint8Array>,
  enough: (text: string) => boolean,
  everyMs = 0,
): Promise<RawAnswer> {
  const socket = await openSocket(url);
  const outcome = Promise.withResolvers<void>();
  let over = false;
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (enough(text)) outcome.resolve();
  });
  socket.on('close', () => outcome.resolve());
  const ended = outcome.promise.then(() => (over = true));
  for (const piece of pieces) {
    if (over || socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => undefined), ended]);
    if (everyMs > 0) await Promise.race([pause(everyMs), ended]);
  }
  await ended;
  socket.destroy();
  return { status: statusOf(text), text };
}

export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);

/** The statuses of all responses on one connection, in order. */
export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map((match) => Number(match[1]));
