/** The value below which so large a share of them is. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)];
}

export function median(values) {
  return percentile(values, 0.5);
}

/** The median, and between what four fifths of them are. */
export function spread(values) {
  const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => percentile(values, share));
  return { low, median: middle, high };
}

/** Of each pair of one round its quotient: a machine that is slow for a while is slow for both. */
export function ratios(values, others) {
  return values.map((value, round) => value / others[round]);
}
