// For programs: ends them with the process that started them, even if that is killed. Imported for its effect.
import type { Socket } from 'node:net';

const stdin = process.stdin as unknown as Socket;
stdin.on('end', () => process.exit(1)).resume();
// By itself it keeps none of them alive.
stdin.unref();
