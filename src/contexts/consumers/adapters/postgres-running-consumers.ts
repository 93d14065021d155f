import { Injectable } from '@nestjs/common';
import { Database, type Statement } from '../../../platform/postgres/database.js';
import { RunningConsumers, type ConsumerView } from '../application/ports.js';
import { CONSUMER_COLUMNS, toConsumerView, type ConsumerRow } from './postgres-consumers.js';

const RUNNING_ON: Statement = {
  name: 'consumers-running-on',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND runs_on = ANY ($4) AND consumer_uid > $2
ORDER BY consumer_uid LIMIT $3`,
};
const RUNNING_ON_ANYWHERE: Statement = {
  name: 'consumers-running-on-anywhere',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE runs_on = ANY ($4) AND (tenant_id, consumer_uid) > ($1, $2)
ORDER BY tenant_id, consumer_uid LIMIT $3`,
};
const RUNNING_IN: Statement = {
  name: 'consumers-running-in',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND consumer_uid > $2 ORDER BY consumer_uid LIMIT $3`,
};
const RUNNING_ANYWHERE: Statement = {
  name: 'consumers-running-anywhere',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE (tenant_id, consumer_uid) > ($1, $2)
ORDER BY tenant_id, consumer_uid LIMIT $3`,
};
const NAMED: Statement = {
  name: 'consumers-named',
  text: `SELECT ${CONSUMER_COLUMNS} FROM consumer WHERE tenant_id = $1 AND consumer_uid > $2
  AND (namespace_id, consumer_id) IN (SELECT split_part(path, '/', 1), split_part(path, '/', 2) FROM unnest($4::text[]) AS path)
ORDER BY consumer_uid LIMIT $3`,
};
const PAGE = 500;
const FIRST_UID = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class PostgresRunningConsumers extends RunningConsumers {
  constructor(private readonly database: Database) {
    super();
  }

  on(userIds: readonly string[], tenantId: string | null): AsyncIterable<ConsumerView[]> {
    return this.pages(tenantId === null ? RUNNING_ON_ANYWHERE : RUNNING_ON, tenantId, [userIds]);
  }

  in(tenantId: string | null): AsyncIterable<ConsumerView[]> {
    return this.pages(tenantId === null ? RUNNING_ANYWHERE : RUNNING_IN, tenantId, []);
  }

  named(tenantId: string, paths: readonly string[]): AsyncIterable<ConsumerView[]> {
    return this.pages(NAMED, tenantId, [paths]);
  }

  /** From the first to the last, whatever changes meanwhile. */
  private async *pages(
    statement: Statement,
    tenantId: string | null,
    filter: readonly unknown[],
  ): AsyncIterable<ConsumerView[]> {
    let after = { tenantId: tenantId ?? '', consumerUid: FIRST_UID };
    for (;;) {
      const values = [after.tenantId, after.consumerUid, PAGE, ...filter];
      const page = (await this.database.query<ConsumerRow>(statement, values)).map(toConsumerView);
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      after = page.at(-1)!;
    }
  }
}
