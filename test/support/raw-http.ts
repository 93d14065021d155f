import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawAnswer {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly text: string;
}

/** Sends bytes as they are, which no HTTP client would do, and reads until the server closes the connection or has answered. */
export async function sendRaw(url: string, ...pieces: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const outcome = Promise.withResolvers<void>();
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.includes('\r\n\r\n')) outcome.resolve();
  });
  socket.on('error', () => outcome.resolve());
  socket.on('close', () => outcome.resolve());
  for (const piece of pieces) {
    if (!socket.destroyed && !socket.write(piece)) await Promise.race([once(socket, 'drain'), outcome.promise]);
  }
  await outcome.promise;
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}
