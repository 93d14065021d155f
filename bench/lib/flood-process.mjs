/** A flood, in a process of its own: the same request on many connections, each sent again as soon as its response has arrived. */
import { Agent, request as open } from 'node:http';
import { answerAsks } from './children.mjs';

const REFUSED_PAUSE_MS = 20;
const agent = new Agent({ keepAlive: true });
const statuses = {};
const ending = new AbortController();
let sent = 0;

/** `@` in the request is another number each time. */
function once({ url, apiKey, read, request: { method = 'GET', path, headers = {}, body = '' } }) {
  const number = String(sent++);
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('@', number)]));
  return new Promise((resolve) => {
    const asked = open(
      url + path.replace('@', number),
      { agent, method, headers: { 'x-api-key': apiKey, ...own } },
      (answer) => {
        statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1;
        answer.on('error', () => undefined).on('close', () => resolve(answer.statusCode));
        if (read) answer.resume();
      },
    );
    asked.on('error', () => resolve(0));
    asked.end(body.replace('@', number));
  });
}

async function again(options) {
  while (!ending.signal.aborted)
    if ((await once(options)) >= 400) await new Promise((resolve) => setTimeout(resolve, REFUSED_PAUSE_MS));
}

answerAsks({
  begin(options) {
    for (let n = 0; n < options.count; n++) void again(options);
    return {};
  },
  end() {
    ending.abort();
    return statuses;
  },
});
