export interface Media {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly 'x-permission'?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly example?: unknown }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

export interface ApiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

export interface Route {
  /** As in `GET /tenants/{tenantId}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export function routesOf({ paths }: ApiDocument): Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      return { name: `${method} ${path}`, method, path, operation };
    }),
  );
}

/** Routes that neither require a permission nor are public, and those that say both. */
export function undeclaredRoutes(document: ApiDocument, open: readonly string[]): string[] {
  return routesOf(document)
    .filter(({ name, operation }) => (operation['x-permission'] === undefined) !== open.includes(name))
    .map(({ name }) => name);
}

/** `$ref`s that point at nothing. */
export function danglingRefs(document: ApiDocument): string[] {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1]!,
  );
  return refs.filter((name) => !(name in document.components.schemas));
}

/** Objects in bodies that accept members of any name. */
export function openObjects(document: ApiDocument, node: unknown, place = ''): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { $ref, type, additionalProperties } = node as Readonly<Record<string, unknown>>;
  if (typeof $ref === 'string')
    return openObjects(document, document.components.schemas[$ref.split('/').at(-1)!], place);
  const open = [type].flat().includes('object') && additionalProperties !== false ? [place] : [];
  return [
    ...open,
    ...Object.entries(node).flatMap(([name, inner]) => openObjects(document, inner, `${place}/${name}`)),
  ];
}
