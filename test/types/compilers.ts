/** The compilers that users have: the newest one, and the last one written in JavaScript. */
export const COMPILERS = [
  { name: 'TypeScript 7', path: 'node_modules/typescript/bin/tsc' },
  { name: 'TypeScript 6', path: 'node_modules/typescript6/bin/tsc6' },
] as const;
