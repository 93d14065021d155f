import { readFileSync } from 'node:fs';

/**
 * The `.http` format of editors (VS Code REST Client, JetBrains), as far as docs/http uses it: `@name = value` declares a variable,
 * `{{name}}` uses one, `###` begins a request, `# @name login` names it, so that `{{login.response.body.$.accessToken}}` and
 * `{{login.response.headers.ETag}}` read its response. Our only addition is `# @expect 201 409`: the allowed statuses.
 */
export interface HttpRequest {
  /** The text after `###`. */
  readonly title: string;
  readonly name: string | undefined;
  readonly expected: readonly number[];
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
  /** The number of the request line, from 1. */
  readonly line: number;
}

export interface HttpFile {
  readonly variables: ReadonlyMap<string, string>;
  readonly requests: readonly HttpRequest[];
}

export interface HttpResult {
  readonly request: HttpRequest;
  readonly status: number;
  readonly body: string;
}

interface Answer {
  readonly headers: Headers;
  readonly body: string;
}

const REQUEST_LINE = /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\S+)$/;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*(.*)$/;
const COMMENT = /^(?:#|\/\/)/;

/** Throws with the line number where a text cannot be parsed: an ignored request would be one that is never run. */
export function parseHttpFile(text: string): HttpFile {
  const variables = new Map<string, string>();
  const requests: HttpRequest[] = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length;) {
    let end = at + 1;
    while (end < lines.length && !lines[end]!.startsWith('###')) end++;
    const request = parseBlock(lines.slice(at, end), at + 1, variables);
    if (request) requests.push(request);
    at = end;
  }
  return { variables, requests };
}

/** Comments, variables and the request line; then headers up to an empty line; the rest is the body. */
function parseBlock(
  lines: readonly string[],
  firstLine: number,
  variables: Map<string, string>,
): HttpRequest | undefined {
  let title = '';
  let name: string | undefined;
  let expected: number[] = [];
  for (const [i, line] of lines.entries()) {
    const variable = /^@([\w-]+)\s*=\s*(.*)$/.exec(line);
    const start = REQUEST_LINE.exec(line);
    if (line.startsWith('###')) title = line.slice(3).trim();
    else if (COMMENT.test(line)) {
      name = /@name\s+([\w-]+)/.exec(line)?.[1] ?? name;
      expected = /@expect((?:\s+\d{3})+)/.exec(line)?.[1]?.trim().split(/\s+/).map(Number) ?? expected;
    } else if (variable) variables.set(variable[1]!, variable[2]!.trim());
    else if (start) {
      const rest = parseRest(lines.slice(i + 1), firstLine + i + 1);
      if (expected.length === 0) throw new Error(`line ${firstLine + i}: the request expects no status (# @expect …)`);
      return { title, name, expected, method: start[1]!, url: start[2]!, line: firstLine + i, ...rest };
    } else if (line.trim() !== '')
      throw new Error(`line ${firstLine + i}: neither comment, variable nor request: ${line}`);
  }
  return undefined;
}

function parseRest(lines: readonly string[], firstLine: number): Pick<HttpRequest, 'headers' | 'body'> {
  const empty = lines.findIndex((line) => line.trim() === '');
  const head = empty < 0 ? lines : lines.slice(0, empty);
  const headers = head.map((line, i): [string, string] => {
    const header = HEADER.exec(line);
    if (!header) throw new Error(`line ${firstLine + i}: no header: ${line}`);
    return [header[1]!, header[2]!];
  });
  const body =
    empty < 0
      ? ''
      : lines
          .slice(empty + 1)
          .join('\n')
          .trim();
  return { headers, body: body === '' ? undefined : body };
}

/** Runs the requests of a file in their order. `given` beats the file's own variables. */
export async function runHttpFile(path: string, given: Readonly<Record<string, string>>): Promise<HttpResult[]> {
  const { variables, requests } = parseHttpFile(readFileSync(path, 'utf8'));
  const values = new Map([...variables, ...Object.entries(given)]);
  const answers = new Map<string, Answer>();
  const results: HttpResult[] = [];
  for (const request of requests) {
    const fill = (text: string): string => fillIn(text, values, answers);
    const headers = request.headers.map(([name, value]): [string, string] => [name, fill(value)]);
    const init = { method: request.method, headers, body: request.body === undefined ? undefined : fill(request.body) };
    const response = await fetch(fill(request.url), init);
    const body = await bodyOf(response);
    if (request.name) answers.set(request.name, { headers: response.headers, body });
    results.push({ request, status: response.status, body });
  }
  return results;
}

/** The responses that their requests do not expect, in words. */
export function failuresOf(results: readonly HttpResult[]): string[] {
  return results
    .filter(({ request, status }) => !request.expected.includes(status))
    .map(
      ({ request, status, body }) =>
        `line ${request.line}, ${request.title}: ${status}, not ${request.expected.join(' or ')}: ${body}`,
    );
}

/** A stream of events has no end: its first chunk is enough. */
async function bodyOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

function fillIn(text: string, values: ReadonlyMap<string, string>, answers: ReadonlyMap<string, Answer>): string {
  return text.replace(/\{\{([^}]+)\}\}/g, (_, name: string) => {
    const value = values.get(name) ?? fromAnswer(name, answers);
    if (value === undefined) throw new Error(`there is no variable ${name}`);
    // A variable may contain others.
    return fillIn(value, values, answers);
  });
}

function fromAnswer(name: string, answers: ReadonlyMap<string, Answer>): string | undefined {
  const [, request = '', part, path = ''] = /^([\w-]+)\.response\.(body|headers)\.(.+)$/.exec(name) ?? [];
  const answer = answers.get(request);
  if (!answer) return undefined;
  if (part === 'headers') return answer.headers.get(path) ?? undefined;
  let value: unknown = JSON.parse(answer.body);
  for (const [, member, index] of path.matchAll(/\.([\w-]+)|\[(\d+)\]/g)) {
    value = (value as Record<string, unknown> | undefined)?.[(member ?? index)!];
  }
  return value === undefined ? undefined : String(value);
}
