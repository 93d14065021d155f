import { join } from 'node:path';
import {
  lint,
  RULES,
  sqlInMigration,
  sqlInSource,
  sqlUnder,
  tenantTables,
  type Rule,
} from '../support/checks/sql-lint.js';

const SOURCES = join(import.meta.dirname, '../../src');

/** Statements that may break a rule, and why. A new one needs a reason that holds on a distributed back end too. */
const EXCEPTIONS: Readonly<Record<string, Partial<Record<Rule, string>>>> = {
  append: {
    unnest:
      'one statement a flush, whatever its size; a distributed back end gets the same rows by another text of this statement',
  },
  'audit-chain-tenants': {
    tenant: 'background work and verification go through the chains of all tenants, by small pages',
  },
  'audit-retentions-headless': { tenant: 'at the start, after the master key was changed, by pages' },
  'audit-heads-of-all': {
    tenant: 'a verification adds up the heads of all tenants, by pages',
  },
  'audit-heads-traces': {
    tenant: 'at the start: whether there is a head or a signed chain of any tenant under this key',
  },
  'audit-retentions-to-sign': { tenant: 'at the start, after the master key was changed, by pages' },
  'audit-page-of-all-§-§': { tenant: 'the audit of all tenants is for system administrators, by pages' },
  'audit-unsealed-tenants': { tenant: 'a background job looks for its work in all tenants, by small pages' },
  'consumers-running-anywhere': {
    tenant: 'what changes in the system changes rights in all tenants; by pages, in the order of the key',
  },
  'consumers-running-on-anywhere': {
    tenant: 'what runs on the right of a user who goes is the question; an index by user answers it',
  },
  'grants-to-api-key': {
    tenant: 'what a key was granted anywhere is the question; an index answers it tenant by tenant',
  },
  'job-find': { tenant: 'a job is asked for by its id, also when its tenant is gone; an index answers it' },
  'job-forget': { tenant: 'an hourly sweep of the jobs of all tenants' },
  'job-list': { tenant: 'the list of all deletions is for system administrators, by pages' },
  'job-open': { tenant: 'an instance looks for its work in all tenants, by small pages' },
  'lane-checkpoint': {
    tenant:
      'the lanes of all tenants at once, ten times a second; rows are found by their whole key, so shards do it apart',
  },
  'lane-claim': {
    tenant: 'an instance takes over what others have left, of all tenants; each row is checked by itself',
  },
  'lane-release': { tenant: 'an instance gives back what it owns when it stops' },
  'rules-places-of-user': {
    tenant: 'in which tenants anything is said of a user, is the question; three indexes answer it tenant by tenant',
  },
  'member-of-user': { tenant: 'whose member a user is, is the question; an index by user answers it' },
  'postgres-members:KEPT_ROLES': { tenant: 'a user who goes may be the last owner of any tenant' },
  'postgres-members:REMOVE_USER': { tenant: 'a user who is deleted leaves all tenants' },
  'tenant-list': { tenant: 'the list of tenants is for system administrators, by pages' },
  'topic-removals': { tenant: 'a background job looks for its work in all tenants, by small pages' },
  'hints:connect': { lock: 'hints may be lost or absent: polls make them good' },
  'hints:flush': { lock: 'hints may be lost or absent: polls make them good' },
  'presence:announce': { lock: 'without it what a dead process has claimed is free after a minute instead of at once' },
  'migrate:migrate': {
    lock: 'instances that start together; without it the second fails on what the first has made, and starts again',
  },
};

const all = sqlUnder(SOURCES);
const tables = tenantTables(all);

describe('the SQL of the product', () => {
  it('is found: statements in sources and in migrations, and the tables of tenants', () => {
    const names = all.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['append', 'read-heads', 'scan-§', '0001_schema:event', 'hints:connect']),
    );
    expect(all.length).toBeGreaterThan(50);
    expect([...tables]).toEqual(expect.arrayContaining(['event', 'topic_head', 'tenant', 'topic', 'consumer', 'lane']));
    expect(tables.has('user_account')).toBe(false);
  });

  it('can be distributed by tenant, except for the named exceptions with their reasons', () => {
    const violations = lint(all, tables).filter(({ rule, name }) => EXCEPTIONS[name]?.[rule] === undefined);
    expect(violations.map(({ rule, name }) => `${name}: ${RULES[rule]}`)).toEqual([]);
  });

  it('needs every exception that is named', () => {
    const found = new Set(lint(all, tables).map(({ rule, name }) => `${name} ${rule}`));
    const named = Object.entries(EXCEPTIONS).flatMap(([name, rules]) =>
      Object.keys(rules).map((rule) => `${name} ${rule}`),
    );
    expect(named.filter((exception) => !found.has(exception))).toEqual([]);
  });

  it('has one text for each name of a prepared statement: a connection keeps the first one', () => {
    const texts = Map.groupBy(
      all.filter(({ name, file }) => file.endsWith('.ts') && !name.includes(':')),
      ({ name }) => name,
    );
    expect([...texts].filter(([, own]) => own.length > 1).map(([name]) => name)).toEqual([]);
  });

  const planted: [Rule, string][] = [
    ['tenant', 'SELECT position FROM event WHERE topic_uid = $1'],
    ['tenant', 'SELECT 1 FROM event e JOIN topic t ON t.topic_uid = e.topic_uid WHERE e.tenant_id = $1'],
    [
      'tenant',
      'UPDATE lane SET position = c.p FROM unnest($1::text[], $2::bigint[]) AS c (t, p) WHERE lane.tenant_id = c.t',
    ],
    ['tenant', 'UPDATE lane SET position = $2 WHERE consumer_uid = $1'],
    ['tenant', 'DELETE FROM topic_head WHERE topic_uid = $1'],
    ['tenant', 'INSERT INTO topic_head (topic_uid) VALUES ($1)'],
    ['tenant', 'SELECT 1 FROM topic_head WHERE topic_uid = $1 FOR NO KEY UPDATE'],
    ['sequence', "SELECT nextval('position')"],
    ['lock', 'SELECT pg_advisory_xact_lock(hashtext($1))'],
    ['lock', 'LOCK TABLE event'],
    ['volatile', 'UPDATE lane SET position = extract(epoch FROM now()) WHERE tenant_id = $1'],
    ['volatile', 'INSERT INTO topic_head (tenant_id, topic_uid) VALUES ($1, gen_random_uuid())'],
    ['unnest', 'INSERT INTO event (tenant_id, data) SELECT $1, d FROM unnest($2::text[]) AS d'],
    ['name', `SELECT position AS ${'a_very_long_name_'.repeat(3)} FROM event WHERE tenant_id = $1`],
  ];
  it.each(planted)('is checked: %s is broken by %s', (rule, text) => {
    const source = `const STATEMENT = { name: 'planted', text: \`${text}\` };`;
    expect(lint(sqlInSource('planted.ts', source), tables)).toEqual([{ rule, name: 'planted' }]);
  });

  it('is checked if a statement is put together from constants', () => {
    const source = "const EVENTS = 'FROM event'; const STATEMENT = { name: 'planted', text: `SELECT 1 ${EVENTS}` };";
    expect(lint(sqlInSource('planted.ts', source), tables)).toEqual([{ rule: 'tenant', name: 'planted' }]);
  });

  const plantedInSchema: [Rule, string][] = [
    ['sequence', 'CREATE TABLE e (tenant_id text, id bigserial, PRIMARY KEY (tenant_id, id));'],
    ['coupling', 'CREATE TABLE e (tenant_id text PRIMARY KEY, topic_uid uuid REFERENCES topic (topic_uid));'],
    ['coupling', 'CREATE TRIGGER notify AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION tell();'],
    ['partition', 'CREATE TABLE e (tenant_id text PRIMARY KEY) PARTITION BY RANGE (tenant_id);'],
    ['partition', 'CREATE INDEX event_data ON event USING gin (tenant_id, data);'],
    ['key', 'CREATE TABLE e (tenant_id text, id bigint, PRIMARY KEY (id, tenant_id));'],
    ['key', 'CREATE UNIQUE INDEX event_one ON event (event_id);'],
  ];
  it.each(plantedInSchema)('is checked in migrations: %s is broken by %s', (rule, text) => {
    const migration = sqlInMigration('9999_planted.sql', `-- A comment; now() in it is fine.\n${text}\n`);
    const found = lint(migration, new Set([...tables, 'e'])).map((violation) => violation.rule);
    expect(found).toEqual([rule]);
  });
});
