import { expect, test } from '@jest/globals';
import { parseArguments, UsageError } from '../../server/arguments.ts';

test('no arguments give Fastify on port 3000', () => {
  expect(parseArguments([])).toEqual({ host: 'fastify', port: 3000, tls: false, silent: false });
});

test('all documented arguments are read', () => {
  const redis = 'redis://:secret@127.0.0.1:6379';
  expect(parseArguments(['--host', 'koa', '--port=0', '--tls', '--silent', '--redis', redis])).toEqual({
    host: 'koa',
    port: 0,
    tls: true,
    silent: true,
    redis,
  });
});

test.each([
  [['--host', 'hapi'], 'hapi'],
  [['--port', '65536'], '65536'],
  [['--port', '-1'], 'port'],
  [['--port', '3e3'], '3e3'],
  [['--port'], 'port'],
  [['--prot', '3000'], '--prot'],
  [['--tls=yes'], 'tls'],
  [['--redis'], 'redis'],
  [['--redis', 'localhost:6379'], '--redis'],
  [['--redis', 'http://localhost:6379'], '--redis'],
  [['extra'], 'extra'],
])('%j throws a UsageError that names the argument and has the usage', (args, named) => {
  expect(() => parseArguments(args)).toThrow(UsageError);
  expect(() => parseArguments(args)).toThrow(named);
  expect(() => parseArguments(args)).toThrow('Usage: demo [--host fastify|express|koa|ws]');
});
