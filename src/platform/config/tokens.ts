/** Injection tokens: a context gets the slice of the settings that concerns it, and nothing else reads the environment. */
export const HTTP_SETTINGS = Symbol('settings.http');
export const ADMIN_SETTINGS = Symbol('settings.admin');
export const MAIL_SETTINGS = Symbol('settings.mail');
export const SECURITY_SETTINGS = Symbol('settings.security');
export const PUBLISH_SETTINGS = Symbol('settings.publish');
export const READ_SETTINGS = Symbol('settings.read');
export const DELIVERY_SETTINGS = Symbol('settings.delivery');
export const TENANT_SETTINGS = Symbol('settings.tenants');
export const AUDIT_SETTINGS = Symbol('settings.audit');
export const TELEMETRY_SETTINGS = Symbol('settings.telemetry');
export const STORAGE_SETTINGS = Symbol('settings.storage');
export const ROLES = Symbol('settings.roles');
