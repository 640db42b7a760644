// A program: one node of the chat, started as the demo starts it, on a free port and with a short lease.
// `chat-node.ts HOST REDIS_URL LEASE_MS`; prints its URL.
import './with-parent.ts';
import { startDemo } from '../../examples/chat/demo.ts';
import type { HostName } from '../../examples/chat/server/arguments.ts';

const [host, redis, leaseTtl] = process.argv.slice(2) as [HostName, string, string];
const options = { host, port: 0, tls: false, silent: true, redis };
const { url, close } = await startDemo(options, { leaseTtl: Number(leaseTtl) });
process.once('SIGTERM', () => void close());
process.stdout.write(`${url}\n`);
