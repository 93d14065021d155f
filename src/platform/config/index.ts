export { loadSettings, type Settings } from './temporary.js';
export * from './tokens.js';
