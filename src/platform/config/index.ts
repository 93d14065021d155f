export { CONFIG_DIR, loadSettings, profileOf, type Profile } from './load-settings.js';
export { Secret } from './parsers.js';
export { SettingsError } from './problems.js';
export type { Settings } from './settings-table.js';
export * from './tokens.js';
