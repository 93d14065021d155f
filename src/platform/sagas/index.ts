export {
  causeOf,
  Due,
  dueFor,
  logOf,
  Missed,
  missed,
  Noticed,
  noticedIn,
  ofType,
  subscriptionTo,
  type ManagementEvent,
} from './management-events.js';
export { cqrsModule, SagaBus } from './saga-bus.js';
export { SagaFailures } from './saga-failures.js';
