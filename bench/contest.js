// Servers that are all alive at once and are given short slices in turn: a machine's speed drifts, and then drifts for all.

/**
 * Lets each contender do its work once in every round. Of every round: the microseconds of CPU that its server used for one
 * operation, and operations in a second; `work(contender)` resolves with how many there were. Before anything counts there are
 * `warmUp` more rounds, in which connections are opened and code is compiled.
 */
export async function contest(contenders, work, rounds, warmUp = 1) {
  const results = new Map(contenders.map(({ name }) => [name, { cpu: [], rate: [] }]));
  for (let round = 0; round < warmUp; round++)
    for (const contender of contenders) await measured(contender, work);
  for (let round = 0; round < rounds; round++) {
    // Who begins changes, so that nobody always finds the machine as the same other one has left it.
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const { cpu, rate } = await measured(contender, work);
      const result = results.get(contender.name);
      result.cpu.push(cpu);
      result.rate.push(rate);
    }
  }
  return results;
}

async function measured(contender, work) {
  const before = await contender.cpu();
  const from = performance.now();
  const operations = await work(contender);
  const seconds = (performance.now() - from) / 1_000;
  if (operations === 0) throw new Error(`${contender.name} did nothing`);
  return { cpu: ((await contender.cpu()) - before) / operations, rate: operations / seconds };
}
