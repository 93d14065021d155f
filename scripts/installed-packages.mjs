import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A digest of the packages that are installed for the product, those for its development left out: of what npm has done, not of what
 * package-lock.json asks for, which may be newer or be written again without a change.
 */
export function installedPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8'));
  const ours = Object.entries(packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  const lines = ours.map(([path, { version }]) => `${path} ${version}`).toSorted();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
