export { CONSUMER_EXAMPLES } from './adapters/examples.js';
export { ConsumerLanes } from './application/consumer-lanes.js';
export { ConsumerFollowers } from './application/consumer-followers.js';
export { PauseConsumer } from './application/consumers.js';
export {
  ConsumerCatalog,
  type ConsumerSecrets,
  type ConsumerView,
  type LaneKeeper,
  type SubscribedConsumer,
} from './application/ports.js';
export {
  consumerAggregate,
  consumerNotFound,
  shownState,
  type ConsumerRef,
  type Subscription,
} from './domain/consumer.js';
export { ConsumersModule } from './consumers.module.js';
