import { expandActions } from '../../../kernel/actions.js';
import { authzError } from '../domain/authz-errors.js';

/** Expands patterns, so that they do not include actions that are added to the product later. */
export function expandAll(patterns: readonly string[]): string[] {
  const unknown = patterns.filter((pattern) => expandActions(pattern).length === 0);
  if (unknown.length > 0)
    throw authzError('role-invalid', `There is no action "${unknown[0]}".`, {
      errors: [{ pointer: '/actions', detail: `"${unknown[0]}" is no action` }],
    });
  return [...new Set(patterns.flatMap(expandActions))];
}
