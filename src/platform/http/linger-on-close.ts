import type { IncomingMessage } from 'node:http';

/** nginx continues to read for 5 s without a byte and for 30 s in total (`lingering_timeout`, `lingering_time`). */
const LINGER_MS = 10_000;

/**
 * Call this before a response that does not wait for the rest of its request, and that may end the connection. Node closes such a
 * connection over unread bytes: the kernel then resets it, and clients that are still sending report a broken pipe instead of the response
 * (RFC 9112, 9.6). Here only our half is closed; further input is discarded until the client closes its own.
 */
export function lingerOnClose({ complete, socket }: IncomingMessage, lingerMs = LINGER_MS): void {
  if (complete || socket.destroyed) return;
  socket.destroySoon = () => {
    const late = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(late)).end();
  };
}
