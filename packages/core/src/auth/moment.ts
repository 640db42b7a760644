/** A time in an identity: seconds since the epoch (NumericDate, RFC 7519 §2), or a `Date`. */
export type Moment = number | Date;

/** As seconds, this is the year 5138; as milliseconds, 1973. */
const MILLISECONDS = 1e11;

/**
 * The time in seconds since the epoch; `undefined` where it is left out. A text, a `Date` without a time, and a number
 * that can only be milliseconds are refused: every comparison with them would come out the same way.
 *
 * @throws TypeError that names the field and says "seconds". It repeats no value.
 */
export function secondsOf(moment: unknown, field: string): number | undefined {
  if (moment === undefined) return undefined;
  const seconds = moment instanceof Date ? moment.getTime() / 1_000 : moment;
  const problem =
    typeof seconds !== 'number'
      ? 'is no number and no Date'
      : Number.isNaN(seconds) || seconds < 0
        ? 'is no time'
        : seconds >= MILLISECONDS
          ? 'can only be in milliseconds'
          : undefined;
  if (problem === undefined) return seconds as number;
  throw new TypeError(`${field} ${problem}: give seconds since the epoch, or a Date.`);
}
