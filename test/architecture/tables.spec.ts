import { join } from 'node:path';
import {
  createdTables,
  sqlInMigration,
  sqlInSource,
  sqlUnder,
  trespasses,
  type Trespass,
} from '../support/checks/sql-lint.js';

const SOURCES = join(import.meta.dirname, '../../src');

/** The one folder whose statements touch a table. Others use its public API, inside the same transaction if necessary. */
const OWNERS: Readonly<Record<string, string>> = {
  topic_head: 'platform/event-log',
  event: 'platform/event-log',
  subscription_checkpoint: 'platform/event-log',
  job: 'platform/jobs',
  idempotency: 'platform/http',
  audit_record: 'platform/audit',
  tenant: 'contexts/tenancy',
  tenant_usage: 'contexts/tenancy',
  namespace: 'contexts/tenancy',
  user_account: 'contexts/identity',
  session: 'contexts/identity',
  api_key: 'contexts/identity',
  password_reset: 'contexts/identity',
  member: 'contexts/authz',
  member_role: 'contexts/authz',
  role: 'contexts/authz',
  user_group: 'contexts/authz',
  group_part: 'contexts/authz',
  access_grant: 'contexts/authz',
  topic: 'contexts/topics',
  topic_removal: 'contexts/topics',
  consumer: 'contexts/consumers',
  consumer_secret: 'contexts/consumers',
  lane: 'contexts/delivery',
  delivery_worker: 'contexts/delivery',
  audit_chain: 'contexts/audit',
  audit_head: 'contexts/audit',
  audit_heads_total: 'contexts/audit',
  audit_retention: 'contexts/audit',
};

/** Folders that read another owner's table in their own statements, and why no API can do it. Only the owner writes a table. */
const READERS: Readonly<Record<string, string>> = {
  'contexts/audit reads audit_record':
    'one statement sees one moment: the ends of a chain and those of its records belong together',
  'contexts/authz reads api_key':
    'what was granted to the keys of a user is found, and removed, by the keys that there are at that moment',
  'contexts/authz reads tenant':
    'a look into the indexes of grants for each tenant, in one statement: the answer is one of all tenants',
  'contexts/authz reads user_account':
    'who holds the last role must be active, counted in one statement; a member holds the row of the user, whose end waits for it',
  'contexts/consumers reads tenant':
    'of a tenant that ends: in one statement, nothing of a younger one of the same id is ever found',
  'contexts/topics reads tenant':
    'of a tenant that ends: in one statement, nothing of a younger one of the same id is ever found',
};

/** Files that insert table names dynamically, which the lint cannot read. */
const FILLED_IN: Readonly<Record<string, string>> = {
  'contexts/authz': 'what a tenant leaves behind: the tables stand in the list before the text, all of them its own',
};

const all = sqlUnder(SOURCES);
const sources = all.filter(({ file }) => file.endsWith('.ts'));
const migrations = all.filter(({ file }) => file.endsWith('.sql'));
const found = trespasses(sources, OWNERS);
const keyOf = ({ by, table }: Pick<Trespass, 'by' | 'table'>): string => `${by} reads ${table}`;
const hasReason = (one: Trespass): boolean =>
  one.table === '§' ? FILLED_IN[one.by] !== undefined : !one.writes && READERS[keyOf(one)] !== undefined;

describe('a table', () => {
  it('has one owner, from the migration that creates it on', () => {
    expect(Object.keys(OWNERS).toSorted()).toEqual([...createdTables(migrations)].toSorted());
  });

  it('is touched by its owner alone, except for named readers with their reasons', () => {
    const strangers = found.filter((one) => !hasReason(one));
    expect(strangers.map((one) => `${one.name}: ${keyOf(one)}${one.writes ? ', and writes it' : ''}`)).toEqual([]);
  });

  it('needs every given reason', () => {
    const needed = new Set(found.map((one) => (one.table === '§' ? one.by : keyOf(one))));
    expect([...Object.keys(READERS), ...Object.keys(FILLED_IN)].filter((reason) => !needed.has(reason))).toEqual([]);
  });

  const planted: [string, string, string][] = [
    ['read', 'SELECT 1 FROM topic WHERE tenant_id = $1', 'topic'],
    [
      'read in a join',
      'SELECT 1 FROM lane l JOIN topic t ON t.topic_uid = l.topic_uid WHERE l.tenant_id = $1',
      'topic',
    ],
    ['read in a list', 'SELECT 1 FROM lane AS l, topic t WHERE l.tenant_id = $1', 'topic'],
    ['read in a subquery', 'SELECT (SELECT count(*) FROM topic WHERE tenant_id = $1)', 'topic'],
    ['read by an update', 'UPDATE lane SET position = 0 FROM topic WHERE lane.tenant_id = $1', 'topic'],
    ['read by a deletion', 'DELETE FROM lane USING topic WHERE lane.tenant_id = $1', 'topic'],
    ['read behind a comment', 'SELECT 1 FROM -- the log\n topic WHERE tenant_id = $1', 'topic'],
    ['locked', 'SELECT 1 FROM topic WHERE tenant_id = $1 FOR NO KEY UPDATE', 'topic'],
    ['inserted into', 'INSERT INTO topic (tenant_id) VALUES ($1)', 'topic, written'],
    ['copied into', 'INSERT INTO topic (tenant_id) SELECT tenant_id FROM lane WHERE tenant_id = $1', 'topic, written'],
    ['updated', 'UPDATE topic SET version = 1 WHERE tenant_id = $1', 'topic, written'],
    ['deleted from', 'WITH gone AS (DELETE FROM topic WHERE tenant_id = $1) SELECT 1', 'topic, written'],
    ['not named', 'DELETE FROM ${table} WHERE tenant_id = $1', '§, written'],
    ['not named', 'SELECT 1 FROM ${table} WHERE tenant_id = $1', '§'],
  ];
  it.each(planted)('of another owner is reported where it is %s: %s', (_, text, seen) => {
    const statements = sqlInSource('contexts/delivery/adapters/planted.ts', `const PLANTED = \`${text}\`;`);
    const trespassed = trespasses(statements, OWNERS);
    expect(trespassed.map(({ table, writes }) => `${table}${writes ? ', written' : ''}`)).toEqual([seen]);
    expect(trespassed.map(({ by }) => by)).toEqual(['contexts/delivery']);
  });

  it.each([
    ['a constant', 'contexts/delivery/a.ts', "const LOGS = 'FROM topic'; const PLANTED = `SELECT 1 ${LOGS} t`;"],
    ['a folder that owns nothing', 'platform/telemetry/a.ts', "const PLANTED = 'SELECT 1 FROM topic';"],
    [
      'a folder whose name only begins like that of the owner',
      'contexts/topics-2/a.ts',
      "const P = 'SELECT 1 FROM topic';",
    ],
  ])('of another owner is seen in %s', (_, file, source) => {
    expect(trespasses(sqlInSource(file, source), OWNERS).map(({ table }) => table)).toEqual(['topic']);
  });

  it.each([
    'INSERT INTO topic (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO UPDATE SET version = 1',
    "UPDATE topic SET description = 'FROM lane' WHERE tenant_id = $1",
    'SELECT extract(epoch FROM created_at) FROM topic WHERE tenant_id = $1 FOR UPDATE',
  ])('is its owner’s to touch: %s', (text) => {
    expect(trespasses(sqlInSource('contexts/topics/adapters/a.ts', `const OWN = \`${text}\`;`), OWNERS)).toEqual([]);
  });

  it('may never be written because of a reason to read it', () => {
    const [written] = trespasses(
      sqlInSource('contexts/authz/adapters/a.ts', "const PLANTED = 'DELETE FROM api_key WHERE user_id = $1';"),
      OWNERS,
    );
    expect([READERS[keyOf(written!)], hasReason(written!)]).toEqual([expect.any(String), false]);
  });

  it('that a migration creates or drops is reported without an owner, or with an obsolete one', () => {
    const script = 'CREATE TABLE moon (tenant_id text PRIMARY KEY);\nCREATE TABLE sun (a text);\nDROP TABLE sun;\n';
    expect([...createdTables(sqlInMigration('9999_planted.sql', script))]).toEqual(['moon']);
  });
});
