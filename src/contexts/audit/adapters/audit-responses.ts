import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { FieldError } from '../../../kernel/domain-error.js';
import { SYSTEM_TENANT } from '../../../kernel/ids.js';
import { parseTime } from '../../../kernel/rfc3339.js';
import { CSV_TYPE } from '../../../platform/formats/csv.js';
import { NDJSON_TYPE } from '../../../platform/formats/ndjson.js';
import { Cursors, toPage } from '../../../platform/http/cursor.js';
import type { Reply, Request } from '../../../platform/http/request.js';
import { expectedVersion } from '../../../platform/http/preconditions.js';
import { noteLimit } from '../../../platform/http/rate-limit-headers.js';
import { actorOf, isoTime, showVersion } from '../../../platform/http/resource.js';
import { lines, sendPieces, untilClosed } from '../../../platform/http/streaming.js';
import { invalid } from '../../../platform/http/validation.js';
import type { Verdict } from '../application/chain-verifier.js';
import { AUDIT_LIMIT } from '../application/expensive-query-slots.js';
import { ExportAuditRecords } from '../application/export-records.js';
import { ListAuditRecords } from '../application/list-records.js';
import { auditError } from '../domain/audit-errors.js';
import { LAST_ID, type AuditFilter, type AuditView } from '../../../platform/audit/index.js';
import type { Retention } from '../application/ports.js';
import { ChangeAuditRetention, GetAuditRetention } from '../application/retention.js';
import { VerifyAudit } from '../application/verify-audit.js';
import { maxAgeOf } from '../domain/retention.js';
import { CSV_HEADER, csvRecord, ndjsonRecord, toAuditRecordDto } from './audit-formats.js';
import type {
  AuditFilterFields,
  AuditPage,
  AuditQuery,
  AuditRetentionDto,
  AuditVerdictDto,
  BrokenChainDto,
  ExportAuditBody,
  SystemAuditVerdictDto,
  TenantAuditVerdictDto,
  VerifyAuditQuery,
} from './audit.dto.js';

/** The responses of both audits: that of a tenant and, where `tenantId` is undefined, that of the system. */
@Injectable()
export class AuditResponses {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly cursors: Cursors,
  ) {}

  async list(tenantId: string | undefined, { limit, cursor, ...fields }: AuditQuery): Promise<AuditPage> {
    const filter = toFilter(fields, '?');
    const scope = `audit ${tenantId ?? ''} ${JSON.stringify(Object.entries(filter).toSorted())}`;
    const before = cursor === undefined ? LAST_ID : this.cursors.decode<string>(scope, cursor);
    const rows = await this.queries.execute(new ListAuditRecords(tenantId, filter, before, limit));
    return toPage(rows, limit, { item: toAuditRecordDto, cursor: (last) => this.cursors.encode(scope, last.auditId) });
  }

  async export(tenantId: string | undefined, body: ExportAuditBody, request: Request, reply: Reply): Promise<void> {
    const { format, ...fields } = body;
    const filter = toFilter(fields, '/');
    const command = new ExportAuditRecords(tenantId, filter, format, actorOf(request), untilClosed(reply));
    const pages = await this.commands.execute(command);
    noteLimit(request, { ...AUDIT_LIMIT, remaining: 0 });
    const headers = {
      'content-type': format === 'csv' ? CSV_TYPE : NDJSON_TYPE,
      'content-disposition': `attachment; filename="audit.${format}"`,
      'cache-control': 'no-store',
    };
    const pieces = format === 'csv' ? csv(pages) : lines(pages, ndjsonRecord);
    await sendPieces(reply.status(200), headers, stopWhenForbidden(request, pieces));
  }

  async verifyTenant(tenantId: string, query: VerifyAuditQuery, reply: Reply): Promise<TenantAuditVerdictDto> {
    const verdicts = await this.verdicts(tenantId, query, reply);
    return { ...toVerdict(verdicts), ...toHeads(verdicts[0]!, query) };
  }

  async verifyAll(query: VerifyAuditQuery, reply: Reply): Promise<SystemAuditVerdictDto> {
    const verdicts = await this.verdicts(undefined, query, reply);
    const broken = verdicts.flatMap(({ tenantId, broken: found }): BrokenChainDto[] =>
      found ? [{ tenant: tenantId, firstBrokenSeq: found.seq, reason: found.fault }] : [],
    );
    const system = verdicts.find(({ tenantId }) => tenantId === SYSTEM_TENANT)!;
    return { ...toVerdict(verdicts), tenants: verdicts.length, broken, ...toHeads(system, query) };
  }

  private async verdicts(
    tenantId: string | undefined,
    { seq, hash }: VerifyAuditQuery,
    reply: Reply,
  ): Promise<Verdict[]> {
    const kept = seq === undefined || hash === undefined ? undefined : { seq, hash };
    const verdicts = await this.queries.execute(new VerifyAudit(tenantId, askedBy(reply), untilClosed(reply), kept));
    noteLimit(reply.request, { ...AUDIT_LIMIT, remaining: 1 });
    return verdicts;
  }

  async retention(tenantId: string | undefined, reply: Reply): Promise<AuditRetentionDto> {
    return shown(await this.queries.execute(new GetAuditRetention(tenantId)), reply);
  }

  async changeRetention(
    tenantId: string | undefined,
    maxAge: string,
    request: Request,
    reply: Reply,
  ): Promise<AuditRetentionDto> {
    const command = new ChangeAuditRetention(tenantId, maxAge, actorOf(request), expectedVersion(request));
    return shown(await this.commands.execute(command), reply);
  }
}

function shown({ days, version }: Retention, reply: Reply): AuditRetentionDto {
  showVersion(reply, version);
  return { maxAge: maxAgeOf(days), version };
}

function toVerdict(verdicts: readonly Verdict[]): AuditVerdictDto {
  const broken = verdicts.find((verdict) => verdict.broken)?.broken;
  return {
    valid: broken === undefined,
    records: verdicts.reduce((sum, { records }) => sum + records, 0),
    pending: verdicts.reduce((sum, { pending }) => sum + pending, 0),
    firstBrokenSeq: broken?.seq ?? null,
    reason: broken?.fault ?? null,
  };
}

function toHeads({ head, holds }: Verdict, { seq }: VerifyAuditQuery): Pick<TenantAuditVerdictDto, 'head' | 'kept'> {
  const own = { seq: head.seq, hash: head.hash, sealedAt: isoTime(head.sealedAt) };
  return seq === undefined || holds === undefined ? { head: own } : { head: own, kept: { seq, holds } };
}

/** `prefix` of a pointer: `?` for a query string, `/` for a body. */
function toFilter({ from, to, ...rest }: AuditFilterFields, prefix: '?' | '/'): AuditFilter {
  const errors: FieldError[] = [];
  const timeOf = (name: string, text: string | null | undefined): number | undefined => {
    if (text === undefined || text === null) return undefined;
    const time = parseTime(text);
    if (Number.isNaN(time)) errors.push({ pointer: prefix + name, detail: 'must be an RFC 3339 time with an offset' });
    return time;
  };
  const filter = { ...rest, from: timeOf('from', from), to: timeOf('to', to) };
  if (errors.length > 0) throw invalid(errors);
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== null));
}

const askedBy = (reply: Reply): string => reply.request.principal!.userId;

async function* csv(pages: AsyncGenerator<AuditView[]>): AsyncGenerator<string> {
  yield CSV_HEADER;
  yield* lines(pages, csvRecord);
}

/** Breaks the connection once the right or the tenant is gone: what was sent so far must not look complete. */
async function* stopWhenForbidden(request: Request, pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  for await (const piece of pieces) {
    if (!(await request.access!.stillAllowed()))
      throw auditError('audit-stopped', 'The right to export is gone, or cannot be verified now.');
    yield piece;
  }
}
