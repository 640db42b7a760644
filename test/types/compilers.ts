/** The compilers that users have: the newest, and the last one that was written in JavaScript. */
export const COMPILERS = [
  { name: 'TypeScript 7', path: 'node_modules/typescript/bin/tsc' },
  { name: 'TypeScript 6', path: 'node_modules/typescript6/bin/tsc6' },
] as const;
