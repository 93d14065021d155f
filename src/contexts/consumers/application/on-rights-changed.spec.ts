import type { StoredEvent } from '../../../platform/event-log/index.js';
import { consumerAggregate } from '../domain/consumer.js';
import type { RunningConsumers } from './ports.js';
import type { WithdrawRights } from './withdraw-rights.js';

// Later than Nest, which it needs to be there.
const { OnConsumerChanged } = await import('./on-rights-changed.js');

it('whatever happens to a consumer but its pause and its end has its right asked for again', async () => {
  const asked: string[] = [];
  const running = {
    named: (tenantId: string, paths: readonly string[]) =>
      void asked.push(...paths.map((path) => `${tenantId}/${path}`)),
  } as unknown as RunningConsumers;
  const reaction = new OnConsumerChanged(running, { from: () => Promise.resolve() } as unknown as WithdrawRights);
  const types = Object.keys(consumerAggregate.eventTypes);
  await reaction.handleAll(
    types.map((type) => ({ type, key: 'acme', stream: `acme/shop/${type}`, id: 'e', data: '{}' }) as StoredEvent),
  );
  const spared = types.filter((type) => !asked.includes(`acme/shop/${type}`));
  expect(spared).toEqual(['consumer.paused', 'consumer.deleted']);
});
