/**
 * Fails if an advisory of high or critical severity is known for a package that the product runs on. If the registry does not respond (no
 * network, a mirror without advisories) it says so and does not fail: an impossible check is not the fault of the change.
 */
import { spawnSync } from 'node:child_process';

const PATIENCE_MS = 60_000;
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  timeout: PATIENCE_MS,
  shell: process.platform === 'win32',
});

/** npm prints a report, or a message that says why there is none. */
function reportOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { message: 'npm audit gave no answer' };
  }
}

const { metadata, vulnerabilities = {}, message, error } = reportOf(stdout);
if (!metadata?.vulnerabilities) {
  console.warn(`Advisories were NOT checked: ${message ?? error?.summary ?? 'the registry answered something else'}.`);
} else {
  const grave = Object.values(vulnerabilities).filter(({ severity }) => ['high', 'critical'].includes(severity));
  for (const { name, severity, range } of grave) console.error(`${name} ${range}: ${severity}`);
  console.log(`Advisories: ${grave.length} high or critical of ${metadata.vulnerabilities.total} in all.`);
  if (grave.length > 0) process.exitCode = 1;
}
