/**
 * A webhook receiver without dependencies: prints what arrives and verifies the signature (Standard Webhooks).
 *
 *   WEBHOOK_SECRET=whsec_… PORT=4000 node examples/receiver.mjs
 *
 * A secret may also be pasted while it runs. Without one everything is accepted and marked "not verified"; with one, a wrong
 * signature is answered with 401.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const TOLERANCE_SECONDS = 300;

/** What is wrong with the signature of a delivery; null: nothing. `body` is the raw bytes: JSON that was parsed and serialized again differs. */
export function signatureFault(headers, body, secret, nowSeconds = Date.now() / 1_000) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const given = headers['webhook-signature'];
  if (!id || !timestamp || !given) return 'a webhook header is missing';
  if (!(Math.abs(nowSeconds - Number(timestamp)) <= TOLERANCE_SECONDS)) return 'the timestamp is too old or too new';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const fits = given.split(' ').some((one) => {
    const [version, encoded = ''] = one.split(',');
    const signature = Buffer.from(encoded, 'base64');
    return version === 'v1' && signature.length === expected.length && timingSafeEqual(signature, expected);
  });
  return fits ? null : 'the signature does not fit';
}

/**
 * Listens on loopback. `secret()` returns the consumer's secret, or undefined while it is not known; `onDelivery` is called with
 * every request before it is answered.
 */
export async function startReceiver({ port = 0, secret, onDelivery }) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const known = secret();
    const fault = known === undefined ? undefined : signatureFault(request.headers, body, known);
    onDelivery({ headers: request.headers, body, fault });
    response.writeHead(fault ? 401 : 204).end();
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

const say = (line) => process.stdout.write(`${line}\n`);

function print({ headers, fault }) {
  const verdict = fault === undefined ? 'not verified' : (fault ?? 'signature ok');
  const again = headers['x-delivery-attempt'] === '1' ? '' : `  attempt ${headers['x-delivery-attempt']}`;
  const position = String(headers['x-event-position']).padStart(6);
  say(`${headers['x-correlation-id']}  ${position}  ${headers['x-event-type']}  (${verdict})${again}`);
}

async function main() {
  let secret = process.env.WEBHOOK_SECRET || undefined;
  const port = Number(process.env.PORT ?? 4000);
  const { url } = await startReceiver({ port, secret: () => secret, onDelivery: print });
  say(`Listening on ${url}`);
  if (!secret) say('Paste the secret of the consumer (whsec_…) to have its signatures verified.');
  say('X-Correlation-ID  position  type');
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line.trim().startsWith('whsec_')) secret = line.trim();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    say(error.code === 'EADDRINUSE' ? 'The port is taken; choose another one with PORT=….' : error.message);
    process.exitCode = 1;
  });
}
