import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { PREDEFINED_ROLES } from '../../src/contexts/authz/domain/predefined-roles.js';
import { ACTIONS } from '../../src/kernel/actions.js';

const DOCUMENT = join(import.meta.dirname, '../../docs/permissions.md');
const MATRIX = /(?<=<!-- matrix:begin -->\n).*?(?=<!-- matrix:end -->)/s;

/** Every action against every predefined role, as the code has them. */
function matrix(): Promise<string> {
  const rows = [
    ['action', ...PREDEFINED_ROLES.map(({ roleId }) => roleId)],
    ['---', ...PREDEFINED_ROLES.map(() => ':-:')],
    ...ACTIONS.map((action) => [
      `\`${action}\``,
      ...PREDEFINED_ROLES.map(({ actions }) => (actions.includes(action) ? 'x' : '')),
    ]),
  ];
  return format(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'), { parser: 'markdown' });
}

describe('docs/permissions.md', () => {
  it('shows the predefined roles as the code has them (UPDATE_MATRIX=1 writes them again)', async () => {
    const text = readFileSync(DOCUMENT, 'utf8');
    const wanted = `\n${await matrix()}\n`;
    if (process.env['UPDATE_MATRIX'] === '1') writeFileSync(DOCUMENT, text.replace(MATRIX, wanted));
    expect(MATRIX.exec(readFileSync(DOCUMENT, 'utf8'))?.[0]).toBe(wanted);
  });

  it('has room for 64 actions in a mask, each once', () => {
    expect(ACTIONS.length).toBeLessThanOrEqual(64);
    expect(new Set(ACTIONS).size).toBe(ACTIONS.length);
  });
});
