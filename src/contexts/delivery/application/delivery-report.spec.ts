import { jest } from '@jest/globals';
import type { CommandBus } from '@nestjs/cqrs';
import type { PinoLogger } from 'nestjs-pino';
import type { DeliveryMetrics } from './delivery-metrics.js';
import { DeliveryReport } from './delivery-report.js';
import type { LaneView } from './ports.js';

const warn = jest.fn();
const report = new DeliveryReport({} as CommandBus, {} as DeliveryMetrics, { warn } as unknown as PinoLogger);
const error = { at: 0, phase: 'connect', status: null, message: 'connection refused' };
const lane = {
  topicId: 'orders',
  consumer: { tenantId: 'acme', namespaceId: 'shop', consumerId: 'hook', settings: { correlationId: 'c-1' } },
  state: { position: 4, failure: { attempt: 3, error } },
} as unknown as LaneView;
const names = { correlationId: 'c-1', tenant: 'acme', namespace: 'shop', consumer: 'hook', topic: 'orders' };

beforeEach(() => warn.mockReset());

it('a blocked lane is logged with the reason in words', () => {
  report.blocked(lane);
  const why = { phase: 'connect', status: null, reason: 'connection refused' };
  expect(warn.mock.calls).toEqual([[{ ...names, position: 5, attempt: 3, ...why }, 'a lane is blocked']]);
});

it('a request that could not be made is logged differently from a topic that could not be read', () => {
  const err = new Error('no');
  report.requestFailed(lane, err);
  report.storeFailed(lane, err);
  expect(warn.mock.calls).toEqual([
    [{ ...names, err }, 'a request to a webhook could not be made'],
    [{ ...names, err }, 'a lane could not read its topic; will try again'],
  ]);
});
