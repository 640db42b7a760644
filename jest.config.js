import { join } from 'node:path';
import { typeboxFiles } from './test/support/typebox-bundle.js';

// Jest runs the TypeScript sources themselves, as native ES modules: nothing has to be built first.
export default {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/packages', '<rootDir>/test', '<rootDir>/examples'],
  testMatch: [
    '<rootDir>/packages/*/test/**/*.test.ts',
    '<rootDir>/examples/*/test/**/*.test.ts',
    '<rootDir>/test/**/*.test.ts',
  ],
  modulePathIgnorePatterns: ['<rootDir>/packages/[^/]+/dist/', '<rootDir>/examples/[^/]+/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@sallyport/source', 'node', 'node-addons'] },
  globalSetup: join(import.meta.dirname, 'test/support/typebox-bundle.js'),
  moduleNameMapper: typeboxFiles,
  // Only a test that fails takes that long: on a busy machine a thousand handshakes take their time.
  testTimeout: 30_000,
  maxWorkers: 2,
  // What a test file has loaded as ES modules is never collected, and ever more of it makes the next ones slow.
  workerIdleMemoryLimit: '512MB',
  reporters: ['default', '<rootDir>/test/support/closing-reporter.js'],
};
