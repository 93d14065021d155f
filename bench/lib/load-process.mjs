/** The load client, in a process of its own. */
import { Client } from 'undici';
import { answerAsks } from './children.mjs';
import { closedLoop, eachOnce, openLoop, rawRequest } from './http-load.mjs';

/** Replaced by the time at which an event was due; as many digits as the microseconds of a machine that was up for 30 years. */
const TIME_MARK = '@@@@@@@@@@@@@@@';

/** The same request repeatedly: the server makes the event ids. */
function repeat({ request, ...options }) {
  const bytes = rawRequest(request);
  return closedLoop({ ...options, next: () => bytes });
}

function stamped({ request, ...options }) {
  const template = rawRequest(request);
  const at = template.indexOf(TIME_MARK);
  const next = (dueMicros) => {
    const bytes = Buffer.from(template);
    bytes.write(String(dueMicros).padStart(TIME_MARK.length, ' '), at, 'latin1');
    return bytes;
  };
  return openLoop({ ...options, next });
}

/** The requests in turn, at a steady rate. */
function steady({ requests, ...options }) {
  const bytes = requests.map(rawRequest);
  let sent = 0;
  return openLoop({ ...options, next: () => bytes[sent++ % bytes.length] });
}

/** One request after another over one connection by undici: the upper bound for a delivery. */
async function sequential({ origin, path, headers, body, durationMs, warmUpMs = 500 }) {
  const client = new Client(origin, { pipelining: 1 });
  const run = async (ms) => {
    const startedAt = performance.now();
    let count = 0;
    for (; performance.now() - startedAt < ms; count++) {
      const answer = await client.request({ method: 'POST', path, headers, body });
      await answer.body.dump();
    }
    return Math.round((count * 1_000) / (performance.now() - startedAt));
  };
  await run(warmUpMs);
  const ratePerSecond = await run(durationMs);
  await client.close();
  return { ratePerSecond };
}

answerAsks({ repeat, stamped, steady, once: eachOnce, sequential });
