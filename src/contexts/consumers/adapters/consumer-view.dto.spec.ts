import type { ConsumerView } from '../application/ports.js';
import { toConsumerDto } from './consumer-view.dto.js';

const settings = { name: null, correlationId: 'c', headerNames: ['x-key'], retry: {}, timeoutMs: 1 };
const kept = {
  status: 'active',
  pauseReason: null,
  runsOn: null,
  topics: [{ topicId: 'orders' }],
  createdAt: 0,
  updatedAt: 0,
};
const shown = (url: string) => toConsumerDto({ ...kept, settings: { ...settings, url } } as unknown as ConsumerView);

it.each([
  ['as it was typed', 'http:\\\\0x7f.1', 'http://127.0.0.1/'],
  ['as it is used', 'https://shop.example/hook', 'https://shop.example/hook'],
  ['and is no URL by now', 'https://', 'https://'],
])('a URL that was kept %s is shown as it is used', (_, typed, url) => {
  expect(shown(typed)).toMatchObject({ url, state: 'active', pauseReason: null, headers: { 'x-key': '[hidden]' } });
});
