/** Native ES modules: node_modules are loaded as they are, which saves 2 s a file against transforming them. */
const project = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest'] },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@willsoto/nestjs-prometheus$': '<rootDir>/test/support/server/nestjs-prometheus.mjs',
  },
};

/** Only a run that has a suite starts PostgreSQL: a spec beside pure code waits for nothing. */
const server = {
  testEnvironment: '<rootDir>/test/support/server/environment.mjs',
  globalSetup: '<rootDir>/test/support/server/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/server/global-teardown.mjs',
};

export default {
  projects: [
    { ...project, displayName: 'unit', roots: ['<rootDir>/src'] },
    { ...project, ...server, displayName: 'suites', roots: ['<rootDir>/test'] },
  ],
  testSequencer: '<rootDir>/test/support/server/longest-first.mjs',
  testTimeout: 30_000,
  maxWorkers: 2,
};
