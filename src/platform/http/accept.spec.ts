import { preferredType } from './accept.js';

const OFFERED = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const;

describe('the chosen representation', () => {
  it.each([
    ['nothing', undefined, 'application/json'],
    ['an empty header', '', 'application/json'],
    ['anything', '*/*', 'application/json'],
    [
      'what a browser sends',
      'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
      'application/json',
    ],
    ['what Java sends', 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', 'application/json'],
    ['one', 'text/event-stream', 'text/event-stream'],
    ['one, whatever its case and parameters', 'Text/Event-Stream; charset=utf-8', 'text/event-stream'],
    ['one before all others', 'text/event-stream, */*', 'text/event-stream'],
    ['two alike', 'application/x-ndjson, application/json', 'application/x-ndjson'],
    ['two with different weights', 'application/x-ndjson;q=0.5, application/json', 'application/json'],
    ['the heavier one last', 'application/json;q=0.1, text/event-stream; Q=0.2', 'text/event-stream'],
    ['a forbidden one', 'text/event-stream;q=0, application/json', 'application/json'],
    ['a forbidden one beside a wildcard', 'application/json;q=0, */*', 'application/x-ndjson'],
    ['a family', 'text/*', 'text/event-stream'],
    ['a family without one member', 'application/json;q=0.0, application/*;q=0.5', 'application/x-ndjson'],
    ['a comma between quotes', 'text/event-stream;x="a,application/json"', 'text/event-stream'],
    ['a parameter that ends in q', 'text/event-stream;eq=0', 'text/event-stream'],
    ['problems only', 'application/problem+json', 'application/json'],
    ['an unreadable header', 'json', 'application/json'],
  ])('for %s', (_, header, expected) => {
    expect(preferredType(header, OFFERED)).toBe(expected);
  });

  it.each([
    'text/html',
    '*/*;q=0',
    'application/json;q=0',
    'image/*, text/html;q=1',
    'application/json;q=2, text/html',
  ])('is none for %s', (header) => expect(preferredType(header, ['application/json'])).toBeUndefined());
});
