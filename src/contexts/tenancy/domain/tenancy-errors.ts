import { defineErrors } from '../../../kernel/domain-error.js';

export const tenancyError = defineErrors({
  'id-invalid': { kind: 'invalid', title: 'The id is not valid' },
  'tenant-not-found': { kind: 'not-found', title: 'Tenant not found' },
  'tenant-exists': { kind: 'conflict', title: 'The tenant exists already' },
  'tenant-owner-invalid': { kind: 'invalid', title: 'The owner is no active user' },
  'tenant-suspended': { kind: 'forbidden', title: 'The tenant is suspended' },
  'tenant-deleting': { kind: 'conflict', title: 'The tenant is being deleted' },
  'tenant-deletion-not-found': { kind: 'not-found', title: 'Deletion not found' },
  'tenant-limit-reached': { kind: 'conflict', title: 'The tenant has as many as it may have' },
  'tenant-storage-full': { kind: 'throttled', title: 'The tenant has stored as much as it may store' },
  'tenant-rate-limited': { kind: 'throttled', title: 'The tenant publishes faster than it may' },
  'tenant-not-empty': { kind: 'conflict', title: 'The tenant still holds namespaces' },
  'namespace-not-found': { kind: 'not-found', title: 'Namespace not found' },
  'namespace-exists': { kind: 'conflict', title: 'The namespace exists already' },
  'namespace-not-empty': { kind: 'conflict', title: 'The namespace still holds topics or consumers' },
  'reserved-by-system': { kind: 'forbidden', title: 'Reserved for the system' },
});
