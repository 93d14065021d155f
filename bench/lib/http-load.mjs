import { connect } from 'node:net';

/**
 * A load client that costs little: keep-alive sockets, requests as ready-made bytes, answers counted by Content-Length. On a machine
 * that client, server and database share, a comfortable client would measure itself.
 */
export function rawRequest({ method = 'POST', path, host, headers = {}, body = '' }) {
  const bytes = Buffer.from(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (bytes.length > 0 || method === 'POST') lines.push(`content-length: ${bytes.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]);
}

const END = Buffer.from('\r\n\r\n');

/** Calls `onAnswer(status)` for each complete answer that arrives. */
function answerReader(onAnswer) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf(END);
      if (end < 0) return;
      const head = rest.latin1Slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (rest.length < end + 4 + length) return;
      rest = rest.subarray(end + 4 + length);
      onAnswer(Number(head.slice(9, 12)));
    }
  };
}

function openSocket(port, host) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Each connection sends its next request when the answer to the last has come. */
export async function closedLoop({ port, host = '127.0.0.1', connections, durationMs, warmUpMs = 1_000, next }) {
  const latencies = [];
  const statuses = new Map();
  let measuring = false;
  let stopped = false;
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port, host)));
  const done = sockets.map(
    (socket) =>
      new Promise((resolve, reject) => {
        let sentAt = 0;
        const send = () => {
          if (stopped) return resolve();
          sentAt = performance.now();
          socket.write(next());
        };
        socket.on(
          'data',
          answerReader((status) => {
            if (measuring) {
              latencies.push(performance.now() - sentAt);
              statuses.set(status, (statuses.get(status) ?? 0) + 1);
            }
            send();
          }),
        );
        socket.on('error', reject);
        socket.on('close', () => (stopped ? resolve() : reject(new Error('the server closed a connection'))));
        send();
      }),
  );
  await new Promise((resolve) => setTimeout(resolve, warmUpMs));
  measuring = true;
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  measuring = false;
  const seconds = (performance.now() - started) / 1_000;
  stopped = true;
  await Promise.all(done);
  for (const socket of sockets) socket.destroy();
  return {
    ratePerSecond: Math.round(latencies.length / seconds),
    ...percentiles(latencies),
    statuses: Object.fromEntries(statuses),
  };
}

export function percentiles(values) {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share) =>
    sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const round = (value) => Math.round(value * 1_000) / 1_000;
  return { p50: round(at(0.5)), p95: round(at(0.95)), p99: round(at(0.99)), max: round(at(1)), samples: sorted.length };
}
