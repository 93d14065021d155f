import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownMasterKey } from '../../src/platform/postgres/embedded/index.js';

let dataDir: string;
const keyFile = (): string => join(dataDir, 'secret.key');

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'event-store-key-')), 'data');
});
afterEach(() => rm(join(dataDir, '..'), { recursive: true, force: true }));

describe('the master key of a store that was given none', () => {
  it('is made at the first start, readable by its owner only, and is the same from then on', async () => {
    const key = await ownMasterKey(dataDir);
    expect(Buffer.from(key.toString(), 'base64')).toHaveLength(32);
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    expect(await ownMasterKey(dataDir)).toEqual(key);
    expect(await readdir(dataDir)).toEqual(['secret.key']);
  });

  it('is one, also where several start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => ownMasterKey(dataDir)));
    expect(new Set(keys.map(String))).toEqual(new Set([await readFile(keyFile(), 'utf8')]));
  });

  it('is the same with the newline that editors and openssl put behind it', async () => {
    const key = await ownMasterKey(dataDir);
    await writeFile(keyFile(), `${key.toString()}\n`);
    expect(await ownMasterKey(dataDir)).toEqual(key);
  });

  it('is not replaced in silence once there is a store: what it has encrypted could not be read any more', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postgres.password'), 'x');
    await expect(ownMasterKey(dataDir)).rejects.toThrow(`${keyFile()} is missing`);
    expect(await readdir(dataDir)).toEqual(['postgres.password']);
  });

  it('is no key where its file is empty, as a full disk or a power cut leaves it', async () => {
    await mkdir(dataDir);
    await writeFile(keyFile(), '\n');
    await expect(ownMasterKey(dataDir)).rejects.toThrow(`${keyFile()} is empty`);
  });

  it('is told by the name of its directory where that cannot be made', async () => {
    await writeFile(dataDir, 'a file');
    await expect(ownMasterKey(dataDir)).rejects.toMatchObject({
      code: 'embedded-start-failed',
      message: expect.stringContaining(`mkdir ${dataDir} failed (EEXIST). A file lies where a directory is wanted`),
    });
  });
});
