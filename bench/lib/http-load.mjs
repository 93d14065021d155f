import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * A load client that costs little: keep-alive sockets, requests as prepared bytes, responses counted by Content-Length. On a machine shared
 * by client, server and database, a comfortable client would measure itself.
 */
export function rawRequest({ method = 'POST', path, host = '127.0.0.1', headers = {}, body = '' }) {
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
const RETRY_AFTER = /\r\nretry-after: \d+/i;

/** Calls `onAnswer(status, head)` for each complete response. */
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
      onAnswer(Number(head.slice(9, 12)), head);
    }
  };
}

function openSocket(port, host) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/**
 * Each connection sends its next request when the response to the last has arrived. `watchedPid`: the process whose CPU time is measured as
 * well.
 */
export async function closedLoop({ port, host, connections, durationMs, warmUpMs = 1_000, watchedPid, next }) {
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
  const cpuBefore = cpuMicroseconds(watchedPid);
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  measuring = false;
  const seconds = (performance.now() - started) / 1_000;
  const cpu = cpuMicroseconds(watchedPid) - cpuBefore;
  stopped = true;
  await Promise.all(done);
  for (const socket of sockets) socket.destroy();
  return {
    ratePerSecond: Math.round(latencies.length / seconds),
    cpuMicrosPerRequest: Math.round((cpu / latencies.length) * 10) / 10,
    ...percentiles(latencies),
    statuses: Object.fromEntries(statuses),
  };
}

/** A free-running clock that all processes of a machine share, in microseconds. */
export const sharedMicros = () => Number(process.hrtime.bigint() / 1_000n);

/**
 * Offers requests at a steady rate, however long they take. `next(dueMicros)` makes the bytes of the request that is due then; one that
 * finds all connections busy waits, and its time runs: delays by the server are not left out (coordinated omission). Latencies count from
 * the due time, too.
 */
export async function openLoop({ port, host, connections, durationMs, ratePerSecond, next }) {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port, host)));
  const total = Math.round((durationMs * ratePerSecond) / 1_000);
  const statuses = new Map();
  const latencies = [];
  const free = [...sockets];
  const waiting = [];
  const dues = new Map();
  let answered = 0;
  let waitingMax = 0;
  let toldWhen = 0;
  const write = (socket, { request, dueMicros }) => {
    dues.set(socket, dueMicros);
    socket.write(request);
  };
  await new Promise((resolve, reject) => {
    for (const socket of sockets) {
      const onAnswer = (status, head) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        latencies.push((sharedMicros() - dues.get(socket)) / 1_000);
        if (status >= 400 && RETRY_AFTER.test(head)) toldWhen++;
        const late = waiting.shift();
        if (late) write(socket, late);
        else free.push(socket);
        if (++answered === total) resolve();
      };
      socket.on('data', answerReader(onAnswer));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server closed a connection')));
    }
    const startedAt = sharedMicros();
    let sent = 0;
    const sendDue = () => {
      const dueNow = Math.min(total, Math.floor(((sharedMicros() - startedAt) * ratePerSecond) / 1e6) + 1);
      for (; sent < dueNow; sent++) {
        const dueMicros = startedAt + Math.round((sent * 1e6) / ratePerSecond);
        const due = { request: next(dueMicros), dueMicros };
        const socket = free.shift(); // all of them in turn: the server closes one that is idle for long
        if (socket) write(socket, due);
        else waiting.push(due);
      }
      waitingMax = Math.max(waitingMax, waiting.length);
      if (sent < total) setTimeout(sendDue, 1);
    };
    sendDue();
  });
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { sent: total, waitingMax, toldWhen, ...percentiles(latencies), statuses: Object.fromEntries(statuses) };
}

/** Sends each request once, in order; latencies count from the sending. */
export async function eachOnce({ port, host, connections, requests }) {
  const latencies = [];
  const statuses = new Map();
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port, host)));
  let sent = 0;
  const startedAt = performance.now();
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve, reject) => {
          let sentAt = 0;
          const send = () => {
            if (sent === requests.length) return resolve();
            sentAt = performance.now();
            socket.write(rawRequest(requests[sent++]));
          };
          const onAnswer = (status) => {
            latencies.push(performance.now() - sentAt);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            send();
          };
          socket.on('data', answerReader(onAnswer));
          socket.on('error', reject);
          socket.on('close', () => reject(new Error('the server closed a connection')));
          send();
        }),
    ),
  );
  const ratePerSecond = Math.round((requests.length * 1_000) / (performance.now() - startedAt));
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { ratePerSecond, ...percentiles(latencies), statuses: Object.fromEntries(statuses) };
}

/** CPU time of a process so far, to 10 ms; NaN if there is no /proc. */
export function cpuMicroseconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

export function percentiles(values) {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share) =>
    sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const round = (value) => Math.round(value * 1_000) / 1_000;
  return { p50: round(at(0.5)), p95: round(at(0.95)), p99: round(at(0.99)), max: round(at(1)), samples: sorted.length };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
