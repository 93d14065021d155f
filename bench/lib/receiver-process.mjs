/** A webhook endpoint in a process of its own: responds 204 at once, and records what arrived. */
import { createServer } from 'node:http';
import { answerAsks } from './children.mjs';
import { percentiles, sharedMicros } from './http-load.mjs';

const SENT_AT = Buffer.from('"sentAt":');
const TIME_CHARS = 15;

/** By path; each consumer has its own. */
let lanes = new Map();
let latencies = [];
let total = 0;
let firstAt;
let lastAt;
let sample;
let watches = [];

function laneOf(path) {
  let lane = lanes.get(path);
  if (!lane) {
    lane = { received: 0, repeated: 0, holes: 0, position: 0 };
    lanes.set(path, lane);
  }
  return lane;
}

function take(path, headers, body) {
  const now = sharedMicros();
  firstAt ??= now;
  lastAt = now;
  total++;
  const lane = laneOf(path);
  const position = Number(headers['x-event-position']);
  if (position <= lane.position) lane.repeated++;
  else {
    if (lane.position > 0 && position !== lane.position + 1) lane.holes++;
    lane.position = position;
    lane.received++;
  }
  const at = body.indexOf(SENT_AT);
  if (at >= 0) {
    const from = at + SENT_AT.length;
    latencies.push((now - Number(body.latin1Slice(from, from + TIME_CHARS))) / 1_000);
  }
  sample ??= { headers, body: body.toString() };
  if (watches.length > 0) watches = watches.filter((watch) => !watch());
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    take(request.url, request.headers, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    response.writeHead(204);
    response.end();
  });
});
server.keepAliveTimeout = 60_000;

const report = () => ({
  total,
  firstAt,
  lastAt,
  latency: percentiles(latencies),
  lanes: Object.fromEntries(lanes),
  sample,
});

answerAsks({
  listen: () => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port }))),
  /** Begins a new record. */
  reset() {
    lanes = new Map();
    latencies = [];
    total = 0;
    firstAt = lastAt = sample = undefined;
  },
  /** Resolves when this many deliveries have arrived, including repetitions. */
  arrived: ({ count }) =>
    new Promise((resolve) => {
      const watch = () => {
        if (total < count) return false;
        resolve(report());
        return true;
      };
      if (!watch()) watches.push(watch);
    }),
  /** Resolves when a lane has reached this position. */
  reached: ({ path, position }) =>
    new Promise((resolve) => {
      const watch = () => {
        if (laneOf(path).position < position) return false;
        resolve(report());
        return true;
      };
      if (!watch()) watches.push(watch);
    }),
  report,
});
