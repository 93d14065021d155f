import { UnreadResponses, type Connection } from './unread-responses.js';

const LIMITS = { unreadTimeoutMs: 30_000, unreadBytesMax: 10_000_000 };

interface Fake extends Connection {
  bytesWritten: number;
  writableLength: number;
  _handle: { writeQueueSize: number };
  reset: boolean;
}

/** A connection with this much unread in its buffer. */
function connection(unsent: number): Fake {
  const fake: Fake = {
    bytesWritten: unsent,
    writableLength: unsent,
    _handle: { writeQueueSize: unsent },
    reset: false,
    resetAndDestroy() {
      fake.reset = true;
      return fake as never;
    },
  };
  return fake;
}

let nowMs: number;
let ended: number;
beforeEach(() => ((nowMs = 0), (ended = 0)));

function watching(...connections: Fake[]): (ms: number) => void {
  const answers = new UnreadResponses(
    connections,
    LIMITS,
    () => ended++,
    () => nowMs,
  );
  answers.look();
  return (ms) => {
    nowMs += ms;
    answers.look();
  };
}

it('a client that reads no byte of its response for 30 seconds is cut off, not earlier', () => {
  const silent = connection(100_000);
  const pass = watching(silent);
  pass(29_999);
  expect(silent.reset).toBe(false);
  pass(1);
  expect([silent.reset, ended]).toEqual([true, 1]);
});

it('a client that reads some continues, however slow it is: of one large response, or of many pieces', () => {
  const [large, many] = [connection(4_000_000), connection(100_000)];
  const { _handle: handle } = large;
  const pass = watching(large, many);
  for (let round = 0; round < 100; round++) {
    handle.writeQueueSize -= 1;
    // A piece was read, the next one has taken its place.
    many.bytesWritten += 1;
    pass(29_999);
  }
  expect([large.reset, many.reset, ended]).toEqual([false, false, 0]);
});

it('a client that sends requests instead of reading is cut off: more responses behind a stalled one are no progress', () => {
  const pipelining = connection(100_000);
  const pass = watching(pipelining);
  for (let round = 0; round < 3; round++) {
    pipelining.bytesWritten += 500;
    pipelining.writableLength += 500;
    pass(10_000);
  }
  expect(pipelining.reset).toBe(true);
});

it('a client that waits for us is left alone: there is nothing to read', () => {
  const waiting = connection(0);
  const pass = watching(waiting);
  pass(3_600_000);
  expect(waiting.reset).toBe(false);
});

it('the time starts again with each stall', () => {
  const reader = connection(100_000);
  const pass = watching(reader);
  pass(20_000);
  reader.writableLength = 0;
  pass(1_000);
  Object.assign(reader, { bytesWritten: 200_000, writableLength: 100_000 });
  pass(20_000);
  pass(20_000);
  expect(reader.reset).toBe(false);
  pass(10_000);
  expect(reader.reset).toBe(true);
});

it('beyond the total limit the clients that have read nothing for longest are cut off, and no more than necessary', () => {
  const [idle, reading, young] = [connection(4_000_000), connection(4_000_000), connection(1_000_000)];
  const connections = [idle, reading];
  const pass = watching(...connections, young);
  reading.writableLength -= 1;
  young.writableLength = 3_000_000;
  pass(1_000);
  expect([idle.reset, reading.reset, young.reset, ended]).toEqual([true, false, false, 1]);
});
