import { idFloor } from '../../kernel/ids.js';
import type { Database, Statement } from '../postgres/database.js';
import type { AuditOutcome } from './audit-record.js';
import { READ_COLUMNS, type AuditView } from './audit-records.js';

/** What a record must have; undefined: anything. */
export interface AuditFilter {
  readonly actor?: string;
  readonly user?: string;
  /** A whole action, or its beginning with `*` behind it. */
  readonly action?: string;
  /** How the path begins. */
  readonly resource?: string;
  readonly outcome?: AuditOutcome;
  readonly address?: string;
  readonly correlationId?: string;
  /** Milliseconds; from this on. */
  readonly from?: number;
  /** Up to, and without. */
  readonly to?: number;
}

/** Records between two ids, both left out. */
export interface AuditRange {
  readonly order: 'asc' | 'desc';
  readonly after: string;
  readonly before: string;
  readonly limit: number;
}

/** Before and behind all ids. */
export const FIRST_ID = '';
export const LAST_ID = '~';

/** Behind every text that begins with the same: texts are compared byte by byte. */
const LAST_CHARACTER = '\u{10ffff}';

interface Condition {
  /** One letter in the name of the statement, which must have one text only. */
  readonly letter: string;
  readonly values: readonly unknown[];
  /** `$` and a number from `n` on stand for the values. */
  readonly sql: (n: number) => string;
}

const equal = (letter: string, column: string, value: unknown): Condition[] =>
  value === undefined ? [] : [{ letter, values: [value], sql: (n) => `${column} = $${n}` }];

/** As a range, which every plan can look up in an index; LIKE only where its pattern is known in advance. */
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
  /** Of the statement's name. */
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

/** A record's id is never older than the record itself, so that a time is also a bound of ids. */
function boundsOf({ from }: AuditFilter, { after, before, limit }: AuditRange): [string, string, number] {
  const floor = from === undefined ? FIRST_ID : idFloor('aud', from);
  return [floor > after ? floor : after, before, limit];
}

/** The subquery is looked up once, at the end of an index; retention never removes the creation and leaves what was before it. */
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

/** The records as they are read. */
export class AuditLog {
  constructor(private readonly database: Database) {}

  /** Of one tenant, since it was last created: an id may have belonged to another tenant before. */
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
