import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** nginx continues to read for 5 s without a byte and for 30 s in total (`lingering_timeout`, `lingering_time`). */
const LINGER_MS = 10_000;

/**
 * Call this before a response that does not wait for the rest of its request, and that may end the connection. Node closes such a
 * connection over unread bytes: the kernel then resets it, and clients that are still sending report a broken pipe instead of the response
 * (RFC 9112, 9.6). Here only our half is closed; further input is discarded until the client closes its own.
 */
export function lingerOnClose({ complete, socket }: IncomingMessage, lingerMs = LINGER_MS): void {
  if (complete || socket.destroyed) return;
  socket.destroySoon = () => endLingering(socket, lingerMs);
}

/** Closes our half, behind these last bytes. The client ends the connection by closing its own half, or the time does. */
export function endLingering(socket: Socket, lingerMs: number, lastBytes = ''): void {
  if (socket.writableEnded) return;
  const late = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(late)).end(lastBytes);
}
