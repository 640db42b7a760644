// Where the sources are that a mutation changes, and the tests that it turns red.
export const core = (file) => `packages/core/src/${file}.ts`;
export const ws = (file) => `packages/ws/src/${file}.ts`;
export const redis = (file) => `packages/redis/src/${file}.ts`;
export const attack = (...names) => names.map((name) => `test/attacks/${name}.test.ts`);
export const contract = (...names) => names.map((name) => `test/contract/${name}.test.ts`);
