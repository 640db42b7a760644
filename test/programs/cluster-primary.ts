// A program: the primary process of `node:cluster` with two workers, as docs/operations.md shows it. Workers print into its output.
import cluster from 'node:cluster';
import { join } from 'node:path';

cluster.setupPrimary({ exec: join(import.meta.dirname, 'managed-node.js') });
for (let i = 0; i < 2; i++) cluster.fork();

process.on('SIGTERM', () => {
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
});
process.on('SIGINT', () => {});
