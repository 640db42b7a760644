import type { Demand } from '@sallyport/core/store';
import type { Keys } from './redis-keys.ts';
import { listOf, numberOf } from './reply.ts';
import type { Runner } from './runner.ts';
import { SHARE } from './scripts/share-script.ts';

const CHUNK = 200;

/** This node's part of each limit, by the recent demand on all nodes. */
export class Shares {
  constructor(
    readonly runner: Runner,
    readonly keys: Keys,
    readonly node: string,
  ) {}

  async shares(demands: readonly Demand[], interval: number): Promise<number[]> {
    const deadline = this.runner.deadline();
    const keys = demands.map(({ key }) => this.keys.of('share', key));
    const shares = new Array<number>(demands.length).fill(0);
    const ask = async (group: readonly number[]): Promise<void> => {
      const reply = await this.runner.run(
        SHARE,
        group.map((index) => keys[index] as string),
        [this.node, Math.ceil(interval), ...group.map((index) => demands[index]?.hits ?? 0)],
        deadline,
      );
      for (const [i, share] of listOf(reply).map(numberOf).entries()) shares[group[i] as number] = share;
    };
    await Promise.all(this.runner.groups(keys).flatMap(chunked).map(ask));
    return shares;
  }
}

function chunked(group: readonly number[]): number[][] {
  const chunks: number[][] = [];
  for (let i = 0; i < group.length; i += CHUNK) chunks.push(group.slice(i, i + CHUNK));
  return chunks;
}
