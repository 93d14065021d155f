import { idFloor } from '../../kernel/ids.js';
import type { Database, Statement } from '../postgres/database.js';
import type { AuditOutcome } from './audit-record.js';
import { READ_COLUMNS, type AuditView } from './audit-records.js';

/** The filter of a read; undefined: anything. */
export interface AuditFilter {
  readonly actor?: string;
  readonly user?: string;
  /** A complete action, or a prefix that ends in `*`. */
  readonly action?: string;
  /** A prefix of the path. */
  readonly resource?: string;
  readonly outcome?: AuditOutcome;
  readonly address?: string;
  readonly correlationId?: string;
  /** Milliseconds, inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
}

/** Records between two ids, both excluded. */
export interface AuditRange {
  readonly order: 'asc' | 'desc';
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

/** Before and after all ids. */
export const FIRST_ID = '';
export const LAST_ID = '~';

/** After every text with the same prefix: texts are compared byte by byte. */
const LAST_CHARACTER = '\u{10ffff}';

interface Condition {
  /** A letter in the name of the statement: each name must have only one text. */
  readonly letter: string;
  readonly values: readonly unknown[];
  /** `$` and numbers from `n` on refer to the values. */
  readonly sql: (n: number) => string;
}

const equal = (letter: string, column: string, value: unknown): Condition[] =>
  value === undefined ? [] : [{ letter, values: [value], sql: (n) => `${column} = $${n}` }];

/** As a range, which every plan can look up in an index; LIKE can only if its pattern is known in advance. */
const beginning = (letter: string, column: string, start: string): Condition => ({
  letter,
  values: [start, start + LAST_CHARACTER],
  sql: (n) => `${column} >= $${n} AND ${column} < $${n + 1}`,
});

function conditionsOf({
  actor,
  user,
  action,
  resource,
  outcome,
  address,
  correlationId,
  from,
  to,
}: AuditFilter): Condition[] {
  return [
    ...equal('a', 'actor_id', actor),
    ...equal('u', 'user_id', user),
    ...(action?.endsWith('*') ? [beginning('p', 'action', action.slice(0, -1))] : equal('n', 'action', action)),
    ...(resource === undefined ? [] : [beginning('r', 'resource', resource)]),
    ...equal('o', 'outcome', outcome),
    ...equal('i', 'address', address),
    ...equal('c', 'correlation_id', correlationId),
    ...(from === undefined ? [] : [{ letter: 'f', values: [from], sql: (n: number) => `occurred_at >= $${n}` }]),
    ...(to === undefined ? [] : [{ letter: 't', values: [to], sql: (n: number) => `occurred_at < $${n}` }]),
  ];
}

interface Clauses {
  /** For the statement's name. */
  readonly letters: string;
  /** ` AND …` */
  readonly sql: string;
  readonly values: unknown[];
}

/** `first`: the number of the first value. */
function clausesOf(filter: AuditFilter, first: number): Clauses {
  const values: unknown[] = [];
  const parts = conditionsOf(filter).map(({ letter, values: own, sql }) => {
    const text = ` AND ${sql(first + values.length)}`;
    values.push(...own);
    return { letter, text };
  });
  return { letters: parts.map(({ letter }) => letter).join(''), sql: parts.map(({ text }) => text).join(''), values };
}

/** A record's id is never older than the record itself, so a time is also a bound of ids. */
function boundsOf({ from }: AuditFilter, { after, before, limit }: AuditRange): [string, string, number] {
  const floor = from === undefined ? FIRST_ID : idFloor('aud', from);
  return [floor > after ? floor : after, before, limit];
}

/** The subquery is one look-up at the end of an index; retention never removes the creation record and leaves earlier ones. */
const page = (order: AuditRange['order'], { letters, sql }: Clauses): Statement => ({
  name: `audit-page-${order}-${letters}`,
  text: `SELECT ${READ_COLUMNS} FROM audit_record
WHERE tenant_id = $1 AND audit_id > $2 AND audit_id < $3
  AND audit_id >= coalesce((SELECT max(audit_id) FROM audit_record WHERE tenant_id = $1 AND action = 'tenant.created'), '')${sql}
ORDER BY audit_id ${order} LIMIT $4`,
});

const pageOfAll = (order: AuditRange['order'], { letters, sql }: Clauses): Statement => ({
  name: `audit-page-of-all-${order}-${letters}`,
  text: `SELECT ${READ_COLUMNS} FROM audit_record WHERE audit_id > $1 AND audit_id < $2${sql} ORDER BY audit_id ${order} LIMIT $3`,
});

/** Reads of the records. */
export class AuditLog {
  constructor(private readonly database: Database) {}

  /** Records of a tenant since it was last created: the id may have belonged to another tenant before. */
  page(tenantId: string, filter: AuditFilter, range: AuditRange): Promise<AuditView[]> {
    const clauses = clausesOf(filter, 5);
    const values = [tenantId, ...boundsOf(filter, range), ...clauses.values];
    return this.database.query<AuditView>(page(range.order, clauses), values);
  }

  pageOfAllTenants(filter: AuditFilter, range: AuditRange): Promise<AuditView[]> {
    const clauses = clausesOf(filter, 4);
    const values = [...boundsOf(filter, range), ...clauses.values];
    return this.database.query<AuditView>(pageOfAll(range.order, clauses), values);
  }
}
