import { commandsOf, noticed } from '../../../../test/support/api/sagas.js';
import { Missed } from '../../../platform/sagas/index.js';
import { EndStreams } from './end-streams.js';
import { TopicsSagas } from './topics.sagas.js';

it('open streams end with their topic, and all of them after something missed', () => {
  const data = JSON.stringify({ topicUid: 'uid-1' });
  expect(commandsOf(TopicsSagas, noticed('topics', 'topic.deleted', { data }))).toEqual([new EndStreams('uid-1')]);
  expect(commandsOf(TopicsSagas, noticed('topics', 'topic.created', { data }))).toEqual([]);
  expect(commandsOf(TopicsSagas, new Missed())).toEqual([new EndStreams(null)]);
});
