// For programs: ends them when the process that started them ends, even if that is killed. Imported for its side effect.
import type { Socket } from 'node:net';

const stdin = process.stdin as unknown as Socket;
stdin.on('end', () => process.exit(1)).resume();
// This listener alone does not keep a program alive.
stdin.unref();
