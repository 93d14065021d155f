import type { Actor } from '../../kernel/aggregate.js';
import { newId } from '../../kernel/ids.js';

/** success: done. denied: refused by an access rule. failed: attempted without success (a wrong password, say). */
export type AuditOutcome = 'success' | 'denied' | 'failed';
export type ActorKind = 'user' | 'api-key' | 'system' | 'anonymous';

export const AUDIT_OUTCOMES = ['success', 'denied', 'failed'] as const satisfies readonly AuditOutcome[];

/** Who acted, from where, in which request. `auditedBy` makes it from an `Actor`. */
export interface AuditActor {
  readonly actorKind: ActorKind;
  readonly actorId: string;
  /** Whose rights were used; also the account of a failed login. */
  readonly userId: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly route: string | null;
  readonly correlationId: string;
}

/** No field may contain a secret: passwords, tokens, keys, signing secrets, header values of consumers. */
export interface AuditRecord extends AuditActor {
  /** `$system` if it belongs to no tenant. Only ids of existing tenants: each has a chain of its own. */
  readonly tenantId: string;
  /** Type of an event (`topic.created`), or `auth.login`, `auth.login-failed`, `access.denied`, … */
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly reason?: string | null;
  /** Path as permissions name it: `tenants/acme/namespaces/shop`. */
  readonly resource: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The stored form; texts are cut to what indexes allow and PostgreSQL returns unchanged. */
export interface AuditRow extends AuditActor {
  readonly tenantId: string;
  /** `aud_…`; sorts by time, and its time is never before `occurredAt`. */
  readonly auditId: string;
  readonly occurredAt: number;
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly reason: string | null;
  readonly resource: string;
  /** How many refusals the record counts. */
  readonly times: number;
  /** JSON. */
  readonly before: string | null;
  readonly after: string | null;
}

const FORMAT = 1;
const ID_BYTES_MAX = 200;
const TEXT_BYTES_MAX = 1_000;
/** The longest path of existing things has 415 bytes; longer ones were invented by the caller. */
const RESOURCE_BYTES_MAX = 512;
/** Of both states together. */
export const STATES_BYTES_MAX = 64 * 1024;
/** At most three bytes each, two if escaped: both cut states still fit. */
const CUT_CHARACTERS = 10_000;

export function auditedBy(actor: Actor): AuditActor {
  const { origin } = actor;
  return {
    actorKind: kindOf(actor.id),
    actorId: actor.id,
    userId: origin?.userId ?? null,
    address: origin?.address ?? null,
    userAgent: origin?.userAgent ?? null,
    route: origin?.route ?? null,
    correlationId: actor.correlationId,
  };
}

export function kindOf(actorId: string): ActorKind {
  if (actorId.startsWith('usr_')) return 'user';
  if (actorId.startsWith('key_')) return 'api-key';
  return actorId === 'system' ? 'system' : 'anonymous';
}

export function toRow(record: AuditRecord, occurredAt: number, times = 1): AuditRow {
  const [before, after] = statesOf(record);
  return {
    tenantId: cut(record.tenantId, ID_BYTES_MAX),
    auditId: newId('aud', occurredAt),
    occurredAt,
    action: cut(record.action, ID_BYTES_MAX),
    outcome: record.outcome,
    reason: cutOrNull(record.reason, TEXT_BYTES_MAX),
    actorKind: record.actorKind,
    actorId: cut(record.actorId, ID_BYTES_MAX),
    userId: cutOrNull(record.userId, ID_BYTES_MAX),
    address: cutOrNull(record.address, ID_BYTES_MAX),
    userAgent: cutOrNull(record.userAgent, TEXT_BYTES_MAX),
    route: cutOrNull(record.route, TEXT_BYTES_MAX),
    resource: cut(record.resource, RESOURCE_BYTES_MAX),
    correlationId: cut(record.correlationId, ID_BYTES_MAX),
    times,
    before,
    after,
  };
}

/** The authenticated and chained text: every field, in an order that never changes. */
export const canonical = (row: AuditRow): string =>
  JSON.stringify([
    FORMAT,
    row.tenantId,
    row.auditId,
    row.occurredAt,
    row.action,
    row.outcome,
    row.reason,
    row.actorKind,
    row.actorId,
    row.userId,
    row.address,
    row.userAgent,
    row.route,
    row.resource,
    row.correlationId,
    row.times,
    row.before,
    row.after,
  ]);

function statesOf({ before, after }: AuditRecord): [string | null, string | null] {
  const states = [jsonOf(before), jsonOf(after)] as [string | null, string | null];
  const bytes = states.map((state) => (state === null ? 0 : Buffer.byteLength(state)));
  if (bytes[0]! + bytes[1]! <= STATES_BYTES_MAX) return states;
  return states.map((state, i) =>
    state !== null && bytes[i]! > STATES_BYTES_MAX / 2 ? cutState(state, bytes[i]!) : state,
  ) as [string | null, string | null];
}

/** States may hold sets and maps, which JSON would leave empty. */
function jsonOf(state: unknown): string | null {
  if (state === undefined || state === null) return null;
  const text = JSON.stringify(state, (_, value: unknown) => {
    if (value instanceof Map) return Object.fromEntries(value);
    return value instanceof Set ? [...value] : value;
  });
  return text ?? null;
}

const cutState = (state: string, bytes: number): string =>
  JSON.stringify({ cut: true, bytes, start: state.slice(0, CUT_CHARACTERS).toWellFormed() });

const cutOrNull = (text: string | null | undefined, bytesMax: number): string | null =>
  text === null || text === undefined ? null : cut(text, bytesMax);

/** PostgreSQL takes no NUL, and a lone surrogate would come back as another character. */
function cut(text: string, bytesMax: number): string {
  const clean = text.replaceAll('\0', '').toWellFormed();
  if (Buffer.byteLength(clean) <= bytesMax) return clean;
  const start = Buffer.from(clean)
    .subarray(0, bytesMax - 3)
    .toString();
  return `${start.replace(/\uFFFD$/, '')}…`;
}
