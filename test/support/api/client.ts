/** A response: `text` as it was on the wire, `body` parsed if it is JSON. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** RFC 9457, the body of every refusal. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly code: string;
  readonly correlationId: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
  readonly [extension: string]: unknown;
}

/** The body of a response that must be a success. */
export async function must<T = { id: string }>(
  client: Client,
  method: string,
  path: string,
  body?: Payload,
): Promise<T> {
  const answer = await client.request<T>(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}

export const statusOf = async (client: Client, method: string, path: string, body?: Payload): Promise<number> =>
  (await client.request(method, path, body)).status;

export type Payload = string | Uint8Array<ArrayBuffer> | object;
export type RequestHeaders = Readonly<Record<string, string>>;

/** A client that hides nothing: text and bytes are sent as they are given, objects as JSON. */
export class Client {
  constructor(
    readonly url: string,
    readonly headers: RequestHeaders = {},
  ) {}

  /** The same server with other credentials, or with none. */
  with(headers: RequestHeaders): Client {
    return new Client(this.url, headers);
  }

  async request<T = Problem>(
    method: string,
    path: string,
    body?: Payload,
    headers: RequestHeaders = {},
  ): Promise<Answer<T>> {
    const response = await this.open(method, path, body, headers);
    const text = await response.text();
    const json = /\bjson\b/.test(response.headers.get('content-type') ?? '') && text !== '';
    const parsed =
      json && !response.headers.get('content-type')!.includes('ndjson') ? (JSON.parse(text) as T) : undefined;
    return { status: response.status, headers: response.headers, text, body: parsed as T };
  }

  /** For responses that never end. */
  open(
    method: string,
    path: string,
    body?: Payload,
    headers: RequestHeaders = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const type: RequestHeaders = body === undefined ? {} : { 'content-type': 'application/json' };
    return fetch(new URL(path, this.url), {
      method,
      redirect: 'manual',
      headers: { ...type, ...this.headers, ...headers },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  }

  get<T = Problem>(path: string, headers?: RequestHeaders): Promise<Answer<T>> {
    return this.request<T>('GET', path, undefined, headers);
  }

  post<T = Problem>(path: string, body?: Payload, headers?: RequestHeaders): Promise<Answer<T>> {
    return this.request<T>('POST', path, body, headers);
  }

  patch<T = Problem>(path: string, body: Payload, headers?: RequestHeaders): Promise<Answer<T>> {
    return this.request<T>('PATCH', path, body, headers);
  }

  delete<T = Problem>(path: string, headers?: RequestHeaders): Promise<Answer<T>> {
    return this.request<T>('DELETE', path, undefined, headers);
  }
}
