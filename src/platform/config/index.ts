export { CONFIG_DIR, loadSettings, profileOf, SettingsError, type Profile } from './load-settings.js';
export { Secret } from './parsers.js';
export type { Settings } from './settings-table.js';
export * from './tokens.js';
