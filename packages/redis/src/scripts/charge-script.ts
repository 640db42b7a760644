import { script } from '../script.ts';
import { GCRA } from './gcra-script.ts';

/** KEYS: the bucket. ARGV: interval, burst, cost. */
export const CHARGE = script(
  GCRA,
  `
charge(KEYS[1], now, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return 1
`,
);
