import type { Answer, Client } from './client.js';
import { OWN } from '../checks/access-matrix.js';
import type { Media, Route } from './openapi.js';

/** One example request of the document. */
export interface ShownRequest {
  readonly route: Route;
  readonly mediaType: string | undefined;
  readonly body: unknown;
}

/** The order of requests: a resource is created, read, changed, and at last deleted, from the inside out. */
const TURNS = [
  /^create(?!ApiKey)/,
  /^(register|publish|invite|set|assign|add)/,
  /^(createApiKey|login)/,
  /^(get|list|read|check|verify|export|send|request)/,
  /^(update|rotate|change|refresh)/,
  /^pause/,
  /^resume/,
  /^(endSession|logout)/,
  /^resetPassword/,
  /^suspend/,
  /^activate/,
  /^revoke/,
  /^(remove|unassign|delete)/,
];

export const inOrder = (routes: readonly Route[]): Route[] =>
  routes.toSorted((a, b) => turnOf(a) - turnOf(b) || (turnOf(a) === TURNS.length - 1 ? depthOf(b) - depthOf(a) : 0));

const depthOf = ({ path }: Route): number => path.split('/').length;

function turnOf({ operation: { operationId } }: Route): number {
  const turn = TURNS.findIndex((names) => names.test(operationId));
  if (turn < 0) throw new Error(`${operationId} has no turn`);
  return turn;
}

export function shownRequests(route: Route): ShownRequest[] {
  const content = Object.entries(route.operation.requestBody?.content ?? {});
  if (content.length === 0) return [{ route, mediaType: undefined, body: undefined }];
  return content.flatMap(([mediaType, media]) => valuesOf(media).map((body) => ({ route, mediaType, body })));
}

const valuesOf = ({ example, examples }: Media): unknown[] =>
  examples ? Object.values(examples).map(({ value }) => value) : [example];

/** Sends requests as they are shown, except for names that only the server gives: those are filled in. */
export class ExampleSender {
  constructor(
    private readonly administrator: Client,
    /** From shown names to real ones. */
    readonly names: Map<string, string>,
    /** A client with the session of a user. */
    private readonly session: () => Client,
  ) {}

  send({ route, mediaType, body }: ShownRequest, accept?: string): Promise<Answer<Record<string, unknown>>> {
    const { method, operation } = route;
    const headers = {
      ...(mediaType !== undefined && { 'content-type': mediaType }),
      ...(accept !== undefined && { accept }),
    };
    const text = body === undefined ? undefined : this.named(JSON.stringify(body));
    return this.clientFor(operation['x-permission']).request(method, this.address(route), text, headers);
  }

  clientFor(permission: string | undefined): Client {
    return permission !== undefined && OWN.test(permission) ? this.session() : this.administrator;
  }

  address({ path, operation }: Route): string {
    const given = (operation.parameters ?? []).filter(({ example }) => example !== undefined);
    const at = path.replace(/\{(\w+)\}/g, (_, name: string) =>
      this.named(String(given.find((one) => one.name === name)!.example)),
    );
    const query = given
      .filter((one) => one.in === 'query')
      .map(({ name, example }) => [name, String(example)] as const);
    return query.length === 0 ? at : `${at}?${new URLSearchParams(Object.fromEntries(query)).toString()}`;
  }

  private named(text: string): string {
    return [...this.names].reduce((so, [shown, real]) => so.replaceAll(shown, real), text);
  }
}
