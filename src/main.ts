import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from './bootstrap.js';
import { loadSettings } from './platform/config/index.js';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
const running = await start(loadSettings({ env: process.env }), version);
process.stdout.write(JSON.stringify({ url: running.url, ...running.firstAccess }) + '\n');
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void running.stop().then(() => process.exit(0)));
