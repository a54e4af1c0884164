const common = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
  // Recorded paths are workspace links: resolve them to the sources, which are TypeScript.
  transformIgnorePatterns: ['/node_modules/'],
};
export default {
  testTimeout: 30_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{packages,services}/*/test/**/*.test.ts',
        '<rootDir>/test/**/*.test.ts',
        '<rootDir>/bench/**/*.test.ts',
        '<rootDir>/deploy/**/*.test.ts',
      ],
      testPathIgnorePatterns: ['/node_modules/', '\\.stack\\.test\\.ts$'],
    },
    {
      ...common,
      displayName: 'stack',
      globalSetup: '<rootDir>/test/jest/globalSetup.ts',
      globalTeardown: '<rootDir>/test/jest/globalTeardown.ts',
      testMatch: [
        '<rootDir>/{packages,services}/*/test/**/*.stack.test.ts',
        '<rootDir>/test/**/*.stack.test.ts',
      ],
    },
  ],
};
