export { PUBLISH_EXAMPLES, TOPIC_EXAMPLES } from './adapters/examples.js';
export { Places } from './application/places.js';
export { TopicCatalog, type TopicView } from './application/ports.js';
export { PLACE_SCHEMA } from './adapters/event-schemas.js';
export { REFERENCE, REFERENCE_CHARS_MAX } from './domain/envelope.js';
export { parsePlace, type Place } from './domain/place.js';
export { topicAggregate, topicNotFound, type TopicEvent, type TopicRef } from './domain/topic.js';
export { TopicsModule } from './topics.module.js';
