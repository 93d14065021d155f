import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as ts from 'typescript';

/** A statement of the source, with the constants of its file; other interpolated parts read `§`. */
export interface SqlText {
  /** The name of the prepared statement, or file and variable if it has none. */
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

/** The rules keep the schema fit to be distributed by tenant, on Citus or YugabyteDB, when one machine is outgrown. */
export const RULES = {
  tenant:
    'a statement names its one tenant: `tenant_id = $n` for every table that has the column, or among the inserted columns',
  sequence: 'no sequence, serial or identity: their values are neither dense nor in order of commits',
  lock: 'no advisory lock, LISTEN, NOTIFY or LOCK TABLE: they are not there, or mean less, on other back ends',
  volatile: 'no volatile function: time and ids come from the application',
  coupling: 'no trigger, rule or foreign key',
  unnest: 'no INSERT … SELECT from unnest or generate_series: other back ends route it through their coordinator',
  name: 'names of at most 40 characters: those of shards and partitions grow out of them',
  partition: 'no partitions, stored generated columns, GIN, exclusion or deferrable constraints in core tables',
  key: 'primary and unique keys of a table that has a tenant_id begin with it',
} as const;
export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly name: string;
}

const STATEMENT =
  /^\s*(SELECT|INSERT\s+INTO|UPDATE\s+[a-z_]+\s+SET|UPDATE\s+[a-z_]+\s+\w+\s+SET|DELETE\s+FROM|WITH\s+\w+\s+AS|LISTEN|NOTIFY|LOCK|CREATE|ALTER|DROP|TRUNCATE)\b/;

/** All SQL in the literals of a TypeScript source. */
export function sqlInSource(file: string, source: string): SqlText[] {
  const found: SqlText[] = [];
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const constants = constantsOf(parsed);
  const visit = (node: ts.Node): void => {
    const text = literalText(node, constants);
    if (text !== undefined && STATEMENT.test(text)) found.push({ name: nameOf(node, file), file, text });
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** The texts at the top of a file, by name, in the order in which they may use each other. */
function constantsOf(source: ts.SourceFile): ReadonlyMap<string, string> {
  const constants = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const text = initializer && literalText(initializer, constants);
      if (text !== undefined) constants.set(name.getText(), text);
    }
  }
  return constants;
}

function literalText(node: ts.Node, constants: ReadonlyMap<string, string> = new Map()): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  const filled = node.templateSpans.map(
    ({ expression, literal }) => (constants.get(expression.getText()) ?? '§') + literal.text,
  );
  return node.head.text + filled.join('');
}

function nameOf(literal: ts.Node, file: string): string {
  for (let node: ts.Node = literal; node.parent; node = node.parent) {
    if (ts.isObjectLiteralExpression(node)) {
      const name = node.properties.find((property) => property.name?.getText() === 'name');
      const text = name && ts.isPropertyAssignment(name) ? literalText(name.initializer) : undefined;
      if (text !== undefined) return text;
    }
    if (
      (ts.isVariableDeclaration(node) || ts.isMethodDeclaration(node) || ts.isFunctionDeclaration(node)) &&
      node.name
    ) {
      return `${basename(file, '.ts')}:${node.name.getText()}`;
    }
  }
  return basename(file, '.ts');
}

/** All SQL of a source tree: literals, and migrations statement by statement. */
export function sqlUnder(directory: string): SqlText[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .flatMap((file) => {
      if (file.endsWith('.spec.ts')) return [];
      if (file.endsWith('.ts')) return sqlInSource(file, readFileSync(join(directory, file), 'utf8'));
      if (file.endsWith('.sql')) return sqlInMigration(file, readFileSync(join(directory, file), 'utf8'));
      return [];
    });
}

export function sqlInMigration(file: string, script: string): SqlText[] {
  return withoutComments(script)
    .split(/;\s*(?:\n|$)/)
    .map((text) => text.trim())
    .filter((text) => text.length > 0)
    .map((text) => ({
      name: `${basename(file, '.sql')}:${/^\w+ (?:UNIQUE )?\w+ (?:IF NOT EXISTS )?(\w+)/.exec(text)?.[1]}`,
      file,
      text,
    }));
}

/** Tables with a column tenant_id, of all CREATE TABLE statements. */
export function tenantTables(all: readonly SqlText[]): Set<string> {
  const tables = all.map(({ text }) => /^\s*CREATE TABLE (\w+) \(\s*([\s\S]*)/.exec(text));
  return new Set(tables.flatMap((match) => (match && /\btenant_id\b/.test(match[2]!) ? [match[1]!] : [])));
}

/** Tables that migrations have created and not dropped. */
export function createdTables(migrations: readonly SqlText[]): Set<string> {
  const tables = new Set<string>();
  for (const { text } of migrations) {
    const [, verb, table] = /^\s*(CREATE|DROP) TABLE (?:IF (?:NOT )?EXISTS )?(\w+)/i.exec(text) ?? [];
    if (verb?.toUpperCase() === 'CREATE') tables.add(table!);
    if (verb?.toUpperCase() === 'DROP') tables.delete(table!);
  }
  return tables;
}

export interface Trespass {
  /** The folder of the statement, if it belongs to an owner; otherwise its file. */
  readonly by: string;
  readonly table: string;
  readonly writes: boolean;
  readonly name: string;
}

/** Statements that use tables outside of the folder of their owner (`owners`: by table). An interpolated table reads `§`. */
export function trespasses(all: readonly SqlText[], owners: Readonly<Record<string, string>>): Trespass[] {
  const folders = new Set(Object.values(owners));
  return all.flatMap(({ file, name, text }) => {
    const by = [...folders].find((folder) => file.startsWith(`${folder}/`)) ?? file;
    return touched(text)
      .filter(({ table }) => table === '§' || (owners[table] !== undefined && owners[table] !== by))
      .map((mention) => ({ by, name, ...mention }));
  });
}

/** Every table after a keyword that a table follows, lists after FROM and USING included. */
function touched(text: string): { table: string; writes: boolean }[] {
  const sql = withoutTexts(withoutComments(text));
  const written =
    /\b(?:INSERT\s+INTO|(?<!\b(?:FOR|KEY|DO) )UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(\w+|§)/gi;
  const read =
    /\b(?<!\bDELETE\s+)(?:FROM|JOIN|USING)\s+(?:ONLY\s+|LATERAL\s+)?((?:\w+|§)(?:\s+(?:AS\s+)?\w+)?(?:\s*,\s*(?:\w+|§)(?:\s+(?:AS\s+)?\w+)?)*)/gi;
  return [
    ...[...sql.matchAll(written)].map(([, table]) => ({ table: table!, writes: true })),
    ...[...sql.matchAll(read)].flatMap(([, list]) =>
      list!.split(',').map((item) => ({ table: item.trim().split(/\s/)[0]!, writes: false })),
    ),
  ];
}

const withoutComments = (sql: string): string => sql.replace(/--.*$/gm, '');
/** Quoted text is data. */
const withoutTexts = (sql: string): string => sql.replace(/'(?:[^']|'')*'/g, "''");

const FORBIDDEN: readonly (readonly [Rule, RegExp])[] = [
  ['sequence', /\bnextval\s*\(|\b(small|big)?serial\b|\bAS\s+IDENTITY\b|\bCREATE SEQUENCE\b/i],
  ['lock', /\bpg_(try_)?advisory|\bpg_notify\b|^\s*(LISTEN|NOTIFY|LOCK)\b/i],
  [
    'volatile',
    /\b(now|clock_timestamp|statement_timestamp|random|gen_random_uuid|uuidv7|timeofday)\s*\(|\bCURRENT_(TIMESTAMP|DATE|TIME)\b/i,
  ],
  ['coupling', /\bCREATE\s+(OR REPLACE\s+)?(CONSTRAINT\s+)?(TRIGGER|RULE|FUNCTION)\b|\bREFERENCES\b|\bFOREIGN KEY\b/i],
  ['unnest', /\bINSERT\s+INTO[\s\S]*\bSELECT\b[\s\S]*\b(unnest|generate_series)\s*\(/i],
  [
    'partition',
    /\bPARTITION (BY|OF) (RANGE|LIST|HASH)\b|\bGENERATED ALWAYS AS\b|\bUSING gin\b|\bEXCLUDE\b|\bDEFERRABLE\b/i,
  ],
  ['name', /\b[a-z_][a-z0-9_]{40,}\b/],
];

export function lint(all: readonly SqlText[], tables: ReadonlySet<string>): Violation[] {
  return all.flatMap(({ name, text }) => {
    const sql = withoutTexts(withoutComments(text));
    const broken = FORBIDDEN.filter(([, pattern]) => pattern.test(sql)).map(([rule]) => rule);
    if (!scopedByTenant(sql, tables)) broken.push('tenant');
    if (!keysBeginWithTenant(sql, tables)) broken.push('key');
    return broken.map((rule) => ({ rule, name }));
  });
}

/**
 * Each mention of a table with tenants needs its own `tenant_id =`: a join that names the tenant once reads the others of all tenants.
 * One of them must name the tenant itself, so that the statement goes to one place.
 */
function scopedByTenant(sql: string, tables: ReadonlySet<string>): boolean {
  const mentions = [...sql.matchAll(/\b(FROM|JOIN|(?<!\b(?:FOR|KEY|DO) )UPDATE)\s+(?:ONLY\s+)?(\w+)/gi)];
  const read = mentions.filter(([, , table]) => tables.has(table!)).length;
  const named = [...sql.matchAll(/\btenant_id\s*=/gi)].length;
  const oneTenant = read === 0 || /\btenant_id\s*=\s*[$§]/i.test(sql);
  const insert = /\bINSERT\s+INTO\s+(\w+)\s*(\([^)]*\)|VALUES)?/i.exec(sql);
  const inserted =
    !insert || !tables.has(insert[1]!) || !insert[2] || insert[2] === 'VALUES' || /\btenant_id\b/.test(insert[2]);
  return named >= read && oneTenant && inserted;
}

function keysBeginWithTenant(sql: string, tables: ReadonlySet<string>): boolean {
  const created = /^\s*CREATE (?:TABLE (\w+)|UNIQUE INDEX \w+ ON (\w+))/.exec(sql);
  const table = created?.[1] ?? created?.[2];
  if (!table || !tables.has(table)) return true;
  const inLine = /[(,]\s*tenant_id [^,)]*PRIMARY KEY/.test(sql);
  const keys = [...sql.matchAll(/(?:PRIMARY KEY|UNIQUE|INDEX \w+ ON \w+) \(([^)]*)\)/g)];
  return inLine || (keys.length > 0 && keys.every(([, columns]) => columns!.startsWith('tenant_id')));
}
