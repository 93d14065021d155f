import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../../scripts/advisories.mjs');

/** The result of the check for this output of `npm audit`. */
function resultOf(answer: string): { readonly status: number | null; readonly said: string } {
  const directory = mkdtempSync(join(tmpdir(), 'npm-'));
  writeFileSync(join(directory, 'npm'), `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`, { mode: 0o755 });
  const PATH = [directory, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: 'utf8', env: { PATH } });
  rmSync(directory, { recursive: true });
  return { status, said: stdout + stderr };
}

const report = (...severities: string[]): string =>
  JSON.stringify({
    vulnerabilities: Object.fromEntries(
      severities.map((severity, i) => [`package-${i}`, { name: `package-${i}`, severity, range: '<2.0.0' }]),
    ),
    metadata: { vulnerabilities: { total: severities.length } },
  });

describe('the check for advisories', () => {
  it('fails for a high and for a critical one, and names the package', () => {
    for (const severity of ['high', 'critical']) {
      const { status, said } = resultOf(report('low', severity));
      expect([status, said]).toEqual([1, expect.stringContaining(`package-1 <2.0.0: ${severity}`)]);
    }
  });

  it('ignores lower ones', () => {
    expect(resultOf(report('moderate', 'low'))).toEqual({
      status: 0,
      said: expect.stringContaining('0 high or critical of 2'),
    });
    expect(resultOf(report()).status).toBe(0);
  });

  it.each([
    ['a refusal of the registry', '{"message": "405 Method Not Allowed"}'],
    ['an error', '{"error": {"summary": "no network"}}'],
    ['nothing', ''],
    ['no JSON', '<html>'],
  ])('reports that nothing was checked, and does not fail, for %s', (_, answer) => {
    expect(resultOf(answer)).toEqual({ status: 0, said: expect.stringContaining('Advisories were NOT checked') });
  });
});
