export type { Changed } from '../../kernel/aggregate.js';
export { Aggregates, AggregateRepository, requireVersion, toDomainEvent, type ChangeOptions } from './aggregates.js';
export { Appender, type AppendListener } from './appender.js';
export { DurableSubscriptions, type Subscription } from './durable-subscription.js';
export type {
  AppendedEvent,
  AppendRequest,
  AppendResult,
  ExpectedStreamVersion,
  LogRef,
  NewEvent,
  StoredEvent,
} from './event.js';
export { eventJson, eventJsonLine, type TopicNames } from './event-json.js';
export { Hints } from './hints.js';
export { ConflictError, retryOnConflict } from './retry-on-conflict.js';
export { LogFollower } from './log-follower.js';
export { beginLog, endLog, holdLogs } from './log-heads.js';
export { LogReader, type EventPage, type LogBounds, type PageRequest, type ReadFilter } from './log-reader.js';
export { LogSizes } from './log-sizes.js';
export { LogTrimmer } from './log-trimmer.js';
export { placeOf, placeText, type ManagementPlace } from './management-place.js';
export { ManagementWatch } from './management-watch.js';
export { Tails, type TailListener } from './tails.js';
export { bytesInMemory, type TopicTail } from './topic-tail.js';
export { WatchedCache } from './watched-cache.js';
