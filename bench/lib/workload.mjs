import { Peer } from './children.mjs';

const TENANT = 'bench';
const namespaceOf = (tenant) => `/tenants/${tenant}/namespaces/shop`;
export const NAMESPACE = namespaceOf(TENANT);

/** About as long as an order event of examples/orders.ndjson: 280 bytes in all. */
const order = (extra = '') =>
  `{"type":"order.placed","key":"order-004711","data":{${extra}"orderId":"order-004711","customer":"customer-0815",` +
  `"currency":"EUR","total":129.90,"lines":[{"sku":"SKU-12345","quantity":2,"price":39.95},{"sku":"SKU-67890","quantity":1,"price":50.00}],` +
  `"note":"leave at the door"}}`;

export const EVENT = order();
/** For the latency: the load client puts the time there. */
export const STAMPED_EVENT = order('"sentAt":@@@@@@@@@@@@@@@,');

export const batchOf = (events) => `[${Array.from({ length: events }, () => EVENT).join(',')}]`;

export async function makeTopic(store, topic, tenant = TENANT) {
  await store.call('POST', '/tenants', { id: tenant }).catch(ignoreExisting);
  await store.call('POST', `/tenants/${tenant}/namespaces`, { id: 'shop' }).catch(ignoreExisting);
  await store.call('POST', `${namespaceOf(tenant)}/topics`, { id: topic });
  return `${namespaceOf(tenant)}/topics/${topic}/events`;
}

function ignoreExisting(error) {
  if (!error.message.includes('409')) throw error;
}

export const publishRequest = (store, path, body) => ({
  path,
  headers: { 'x-api-key': store.apiKey, 'content-type': 'application/json' },
  body,
});

/** Fills a topic in batches of 1,000. */
export async function prefill(store, path, events) {
  for (let left = events; left > 0; left -= 1_000) {
    await store.call('POST', path, batchOf(Math.min(left, 1_000)));
  }
}

export class Receiver extends Peer {
  static async start() {
    const receiver = new Receiver(new URL('receiver-process.mjs', import.meta.url));
    const { port } = await receiver.ask('listen');
    receiver.origin = `http://127.0.0.1:${port}`;
    return receiver;
  }
}

export const startLoad = () => new Peer(new URL('load-process.mjs', import.meta.url));

export const register = (store, receiver, { id, topic, startFrom = 'latest' }) =>
  store.call('POST', `${NAMESPACE}/consumers`, {
    id,
    url: `${receiver.origin}/${id}`,
    topics: [{ topic, startFrom }],
  });
