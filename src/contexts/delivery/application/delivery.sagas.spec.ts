import { commandsOf, noticed } from '../../../../test/support/api/sagas.js';
import { Missed } from '../../../platform/sagas/index.js';
import { DeliverySagas } from './delivery.sagas.js';
import { ReviewLanes } from './review-lanes.js';

it('lanes are reviewed when their tenant opens or closes, and all of them after missed events', () => {
  const types = ['tenant.suspended', 'tenant.renamed', 'tenant.activated', 'tenant.deletion-started', 'tenant.deleted'];
  const commands = types.map((type) => commandsOf(DeliverySagas, noticed('tenants', type, { stream: 'acme' })));
  expect(commands.map(({ length }) => length)).toEqual([1, 0, 1, 1, 0]);
  expect(commands[0]).toEqual([new ReviewLanes('acme')]);
  expect(commandsOf(DeliverySagas, new Missed())).toEqual([new ReviewLanes(null)]);
});
