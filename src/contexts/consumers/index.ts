export { CONSUMER_EXAMPLES } from './adapters/examples.js';
export { ConsumerLanes, type LaneKeeper, type SubscribedConsumer } from './application/consumer-lanes.js';
export { ConsumerFollowers } from './application/consumer-followers.js';
export { PauseConsumer } from './application/consumers.js';
export { ConsumerCatalog, type ConsumerSecrets, type ConsumerView } from './application/ports.js';
export {
  consumerAggregate,
  consumerNotFound,
  shownState as restOf,
  type ConsumerRef,
  type Subscription,
} from './domain/consumer.js';
export { ConsumersModule } from './consumers.module.js';
