import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A digest of the packages installed for the product, without those for development: of what npm has installed, not of what
 * package-lock.json asks for, which may be newer or be rewritten without a change.
 */
export function installedPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'));
  const ours = Object.entries(packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const lines = ours.map(([path, { version }]) => `${path} ${version}`).toSorted();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
