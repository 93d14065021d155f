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

  it('is only one, also if several processes start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => ownMasterKey(dataDir)));
    expect(new Set(keys.map(String))).toEqual(new Set([await readFile(keyFile(), 'utf8')]));
  });

  it('is the same with the newline that editors and openssl append', async () => {
    const key = await ownMasterKey(dataDir);
    await writeFile(keyFile(), `${key.toString()}\n`);
    expect(await ownMasterKey(dataDir)).toEqual(key);
  });

  it('is not silently replaced once there is a store: its secrets could not be read any more', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'postgres.password'), 'x');
    await expect(ownMasterKey(dataDir)).rejects.toThrow(`${keyFile()} is missing`);
    expect(await readdir(dataDir)).toEqual(['postgres.password']);
  });

  it('is not accepted from an empty file, as a full disk or a power cut leaves it', async () => {
    await mkdir(dataDir);
    await writeFile(keyFile(), '\n');
    await expect(ownMasterKey(dataDir)).rejects.toThrow(`${keyFile()} is empty`);
  });

  it('is reported with the name of its directory if that cannot be created', async () => {
    await writeFile(dataDir, 'a file');
    await expect(ownMasterKey(dataDir)).rejects.toMatchObject({
      code: 'embedded-start-failed',
      message: expect.stringContaining(`mkdir ${dataDir} failed (EEXIST). A file lies where a directory is wanted`),
    });
  });
});
