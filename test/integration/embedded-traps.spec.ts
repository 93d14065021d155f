import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, link, mkdir, readdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCluster } from '../../src/platform/postgres/embedded/cluster.js';
import { prepareLayout } from '../../src/platform/postgres/embedded/layout.js';
import { launch } from '../../src/platform/postgres/embedded/postmaster.js';
import { removeTree } from '../../src/platform/postgres/embedded/remove-tree.js';
import { choosePostgresUser, identity, type PostgresUser } from '../../src/platform/postgres/embedded/run-as.js';
import { ServerLog } from '../../src/platform/postgres/embedded/server-log.js';
import {
  chooseSocketPlace,
  makeSocketDirectory,
  nameOf,
  type SocketPlace,
} from '../../src/platform/postgres/embedded/socket-directory.js';
import { ask, EmbeddedStage } from '../support/server/embedded-stage.js';

const NOBODY: PostgresUser = { name: 'nobody', uid: 65_534, gid: 65_534, switched: true };

let stage: EmbeddedStage;
beforeEach(async () => {
  stage = await EmbeddedStage.set();
});
afterEach(() => stage.clear());

describe('the socket', () => {
  it('lies beside the cluster, where no other user can create it beforehand', async () => {
    const squatted = join(tmpdir(), `event-store-${nameOf(stage.dataDir)}`);
    await writeFile(squatted, 'mine');
    const server = await stage.start();
    expect(server.connection.host).toBe(join(stage.dataDir, 'postgres.socket'));
    await server.stop();
    expect(await readdir(stage.dataDir)).not.toContain('postgres.socket');
    await rm(squatted);
  });

  it('lies under an unpredictable name if the path is too long, the same for all who start there', async () => {
    const user = choosePostgresUser(undefined);
    const home = join(stage.root, 'd'.repeat(90));
    await mkdir(home);
    const places = await Promise.all([1, 2, 3].map(() => chooseSocketPlace(home, user)));
    expect(new Set(places.map(({ socketDir }) => socketDir)).size).toBe(1);
    const [{ temporaryDir }] = places as [SocketPlace];
    expect(temporaryDir).toMatch(/event-store-[0-9a-f]{16}$/);
    expect(await chooseSocketPlace(home, user)).toEqual(places[0]);
    await rm(temporaryDir!, { recursive: true });
    const [{ temporaryDir: next }] = [await chooseSocketPlace(home, user)];
    expect(next).not.toBe(temporaryDir);
    await rm(next!, { recursive: true });
  });

  it('is not put where a record that others may have written says', async () => {
    const home = join(stage.root, 'd'.repeat(90));
    await mkdir(join(stage.root, 'event-store-0123456789abcdef'), { recursive: true });
    await mkdir(home);
    for (const noted of [stage.root, join(stage.root, 'event-store-0123456789abcdef'), '/etc']) {
      await writeFile(join(home, 'postgres.socket.location'), noted);
      const { temporaryDir } = await chooseSocketPlace(home, choosePostgresUser(undefined));
      expect(temporaryDir!.startsWith(stage.root)).toBe(false);
      await rm(temporaryDir!, { recursive: true });
    }
  });

  it('of a server that an earlier release started elsewhere is used further', async () => {
    const log = { info: () => undefined, warn: () => undefined };
    const layout = await prepareLayout({ dataDir: stage.dataDir, systemDir: stage.systemDir, log });
    const socketDir = join(tmpdir(), `event-store-${nameOf(stage.dataDir)}`);
    const password = await ensureCluster(layout);
    const account = { user: 'event_store', password, database: 'postgres', host: socketDir, port: 5_432 };
    const postmaster = await launch({ ...layout, socketDir }, account, log);
    await ask(account, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const server = await stage.start();
    expect([server.pid(), server.connection.host]).toEqual([postmaster!.pid, socketDir]);
    await server.stop();
    const next = await stage.start();
    expect(next.connection.host).toBe(join(stage.dataDir, 'postgres.socket'));
    expect(await ask(next.connection, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await expect(stat(socketDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

const ofRoot = process.getuid?.() === 0 ? describe : describe.skip;

ofRoot('started as root, the server', () => {
  it('gives no file of root away to a user who swaps the directory of the socket for a link, however often', async () => {
    const user = choosePostgresUser(undefined);
    const [parent, victim] = [join(stage.root, 'parent'), join(stage.root, 'victim')];
    for (const directory of [parent, victim]) await mkdir(directory);
    await chmod(parent, 0o1777);
    const directory = join(parent, 'd');
    await makeSocketDirectory(directory, user);
    const swapping = `
      const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
      const [, d, victim] = process.argv;
      for (;;) try { renameSync(d, d + '.x'); symlinkSync(victim, d); unlinkSync(d); renameSync(d + '.x', d); }
        catch { try { unlinkSync(d); } catch {} try { renameSync(d + '.x', d); } catch {} }`;
    const attacker = spawn(process.execPath, ['-e', swapping, directory, victim], { ...identity(user), cwd: '/' });
    await once(attacker, 'spawn');
    const outcomes = new Set<string>();
    for (let call = 0; call < 300; call++) {
      outcomes.add(await makeSocketDirectory(directory, user).then(() => 'made', String));
    }
    attacker.kill('SIGKILL');
    await once(attacker, 'exit');
    expect(outcomes).toContain('made');
    const { uid, mode } = await stat(victim);
    expect([uid, mode & 0o777]).toEqual([0, 0o755]);
  });

  it('uses no directory of root that lies in the place of the socket, empty or not', async () => {
    const user = choosePostgresUser(undefined);
    const directory = join(stage.root, 'taken');
    await mkdir(join(directory, 'full'), { recursive: true });
    await expect(makeSocketDirectory(directory, user)).rejects.toMatchObject({ code: 'embedded-not-ours' });
    expect((await stat(directory)).uid).toBe(0);
  });

  it('follows no link that the owner of the data directory has created, and keeps its socket out of their reach', async () => {
    await mkdir(stage.dataDir);
    const victim = join(stage.root, 'victim');
    await writeFile(victim, 'of root', { mode: 0o600 });
    await chown(stage.dataDir, NOBODY.uid, NOBODY.gid);
    for (const lay of [symlink, link]) {
      const log = new ServerLog(join(stage.dataDir, 'postgres.log'));
      await lay(victim, log.file);
      await expect(log.open()).rejects.toThrow(/ELOOP|is a link/);
      await expect(log.trim(1)).rejects.toThrow(/ELOOP|is a link/);
      await expect(log.lastWords()).rejects.toThrow(/ELOOP|is a link/);
      await unlink(log.file);
    }
    await symlink(victim, join(stage.dataDir, 'postgres.log.1'));
    const log = new ServerLog(join(stage.dataDir, 'postgres.log'));
    await writeFile(log.file, 'long');
    await log.trim(1);
    expect([await readFile(victim, 'utf8'), await readFile(`${log.file}.1`, 'utf8')]).toEqual(['of root', 'long']);
    const { temporaryDir } = await chooseSocketPlace(stage.dataDir, NOBODY);
    expect(temporaryDir).toBeDefined();
    await rm(temporaryDir!, { recursive: true });
  });

  it('removes the remains of a killed start as the user that owns them, who may create links in them', async () => {
    const [tree, victim] = [join(stage.root, 'tree'), join(stage.root, 'victim')];
    for (const directory of [join(tree, 'base'), victim]) await mkdir(directory, { recursive: true });
    await writeFile(join(victim, 'kept'), '');
    await mkdir(join(tree, 'root'));
    await symlink(victim, join(tree, 'link'));
    for (const path of [tree, join(tree, 'base')]) await chown(path, NOBODY.uid, NOBODY.gid);
    await removeTree(tree);
    await expect(stat(tree)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(victim)).toEqual(['kept']);
  });
});
