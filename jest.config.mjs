const levels = { unit: ['<rootDir>/src'], suites: ['<rootDir>/test'] };

/** Native ES modules: node_modules are loaded as they are, which saves 2 s a file against transforming them. */
export default {
  testEnvironment: 'node',
  roots: Object.values(levels).flat(),
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 30_000,
  maxWorkers: 2,
};
