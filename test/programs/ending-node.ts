// A program: a node that shuts down on SIGTERM in the way of its host, with a handler that runs until SIGUSR2.
// `ending-node.ts HOST WITHIN_MS`; prints its port.
import './with-parent.ts';
import { gracefulShutdown } from '@sallyport/ws';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { chatGuard } from '../support/chat-policy.ts';
import { realTime } from '../support/real-time.ts';

const [name, within] = process.argv.slice(2);
const guard = chatGuard({ clock: realTime, limits: { closeTimeout: '1m' } });
const released = new Promise<void>((resolve) => process.once('SIGUSR2', resolve));

const chat: ChatHandler = (connection) => {
  connection.on('say', async () => {
    connection.send('said', { text: 'begun' });
    await released;
    connection.send('said', { text: 'done' });
  });
};

const host = hosts.find((one) => one.name === name);
if (host === undefined) throw new Error(`There is no host ${name}.`);
const { server, port, end } = await host.start({ guard, chat, closeWithin: Number(within) });
if (end === undefined) gracefulShutdown(server, guard, { within: Number(within), signals: ['SIGTERM'] });
else process.once('SIGTERM', () => void end());
process.stdout.write(`${port}\n`);
