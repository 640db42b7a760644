import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Guard } from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import { upgrade, websocket } from '@sallyport/express';
import express from 'express';
import { SignJWT } from 'jose';
import type { DestinationStream } from 'pino';
import type { Registry } from 'prom-client';
import { servers } from '../support/served.ts';
import { frame } from '../support/wire.ts';
import { readPages, snippetsOf } from './markdown.ts';
import { layOut, type Workbench } from './workbench.ts';

// Runs the recipes as they are, each with its library.
const SECRET = 'a shared secret of the tests, at least 32 bytes';
const TEXT = 'a text that nobody but the handler may see';
const Origin = 'https://app.example.com';

const { listen, dial, refused } = servers();
const before = process.env.TOKEN_SECRET;
let workbench: Workbench;

beforeAll(() => {
  process.env.TOKEN_SECRET = SECRET;
  workbench = layOut(
    readPages()
      .flatMap(snippetsOf)
      .filter(({ language }) => language === 'ts'),
  );
});

afterEach(() => {
  metrics.disable();
  logs.disable();
});

afterAll(() => {
  if (before === undefined) delete process.env.TOKEN_SECRET;
  else process.env.TOKEN_SECRET = before;
  workbench.remove();
});

async function load<T>(recipe: string, file: string): Promise<T & { readonly guard: Guard }> {
  const page = `docs/recipes/${recipe}.md`;
  const { guard } = (await import(workbench.file(page, 'policy.ts'))) as { guard: Guard };
  const exports = (await import(workbench.file(page, file))) as T;
  hostGuard(guard).useLogger({ warn: () => {} });
  return { ...exports, guard };
}

/** A foreign page is refused. Alice connects, sends an unknown message and a valid one, and leaves. Returns her token. */
async function visit(guard: Guard, whileOpen: () => Promise<void> = async () => {}): Promise<string> {
  const app = express();
  const opened: unknown[] = [];
  app.get(
    '/chat',
    websocket(guard, (chat) => {
      opened.push(chat);
      chat.on('say', (message) => void chat.send('said', message as object));
    }),
  );
  const server = createServer(app);
  upgrade(server, app, guard);
  const port = await listen(server);
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('alice')
    .setIssuer('https://id.example.com')
    .setAudience('chat')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(SECRET));
  const headers = { Origin, Authorization: `Bearer ${token}` };
  await refused(port, { headers: { ...headers, Origin: 'https://evil.example' } });
  const wire = (await dial(port)).handshake({ headers });
  expect((await wire.head()).status).toBe(101);
  wire.send(frame(JSON.stringify({ type: 'shout', text: TEXT })));
  wire.send(frame(JSON.stringify({ type: 'say', room: 'lobby', text: TEXT })));
  await wire.messages(2);
  await whileOpen();
  const closed = new Promise((resolve) => guard.on('connection.closed', resolve));
  wire.destroy();
  await closed;
  return token;
}

/** The OWASP names of the events of this visit, in order. */
const NAMES = [
  'malicious_cors',
  'authn_login_success',
  'session_created',
  'malicious_extraneous',
  'session_expired',
];

test('the pino recipe logs each event under its OWASP name, and no token', async () => {
  const { logSecurityEvents, guard } = await load<{ logSecurityEvents(to: DestinationStream): void }>(
    'pino',
    'security-log.ts',
  );
  const destination = new PassThrough();
  logSecurityEvents(destination);
  const token = await visit(guard);
  destination.end();
  const log = await text(destination);
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ event }) => event)).toEqual(NAMES);
  expect(lines[0]).toMatchObject({
    level: 60,
    name: 'chat',
    msg: 'handshake.denied',
    reason: 'origin_denied',
    stage: 'origin',
    origin: 'https://evil.example',
    address: '127.0.0.1',
    path: '/chat',
    detail: '"https://evil.example" is not an allowed origin',
  });
  expect(lines[1]).toMatchObject({ level: 30, subject: 'alice' });
  expect(log).not.toContain(TEXT);
  expect(log).not.toContain(token);
});

test('the OpenTelemetry recipe exports counts by reason, and the events', async () => {
  const numbers = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const records = new InMemoryLogRecordExporter();
  const reader = new PeriodicExportingMetricReader({ exporter: numbers, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const loggers = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: records })] });
  metrics.setGlobalMeterProvider(provider);
  logs.setGlobalLoggerProvider(loggers);
  const { reportToOpenTelemetry, guard } = await load<{ reportToOpenTelemetry(): void }>(
    'opentelemetry',
    'telemetry.ts',
  );
  reportToOpenTelemetry();
  const points = (): Record<string, unknown> =>
    Object.fromEntries(
      (numbers.getMetrics().at(-1)?.scopeMetrics[0]?.metrics ?? []).map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [
          attributes,
          typeof value === 'number' ? value : value.count,
        ]),
      ]),
    );
  const token = await visit(guard, async () => {
    await provider.forceFlush();
    expect(points()['sallyport.connections']).toEqual([[{}, 1]]);
  });
  await provider.forceFlush();
  expect(points()).toEqual({
    'sallyport.connections': [[{}, 0]],
    'sallyport.handshakes': [
      [{ outcome: 'denied', reason: 'origin_denied', stage: 'origin' }, 1],
      [{ outcome: 'admitted' }, 1],
    ],
    'sallyport.messages.denied': [[{ reason: 'message_type_unknown', stage: 'schema' }, 1]],
    'sallyport.connection.duration': [[{ reason: 'peer' }, 1]],
  });
  await loggers.forceFlush();
  const events = records.getFinishedLogRecords();
  expect(events.map(({ eventName }) => eventName)).toEqual(NAMES);
  expect(events[0]).toMatchObject({
    body: 'handshake.denied',
    severityText: 'CRITICAL',
    attributes: { 'sallyport.origin': 'https://evil.example', 'sallyport.reason': 'origin_denied' },
  });
  const told = JSON.stringify(events.map(({ attributes, body }) => ({ attributes, body })));
  expect(told).not.toContain(TEXT);
  expect(told).not.toContain(token);
  await Promise.all([provider.shutdown(), loggers.shutdown()]);
});

test('the prom-client recipe counts by reason, and reads the other numbers when it is scraped', async () => {
  const { registry, guard } = await load<{ registry: Registry }>('prom-client', 'metrics.ts');
  await visit(guard, async () => {
    expect(await registry.metrics()).toContain('sallyport_connections{state="open"} 1\n');
  });
  const exposed = await registry.metrics();
  expect(exposed).toContain('sallyport_connections{state="open"} 0\n');
  expect(exposed).toContain('sallyport_handshakes_total{outcome="denied",reason="origin_denied"} 1\n');
  expect(exposed).toContain('sallyport_handshakes_total{outcome="admitted",reason=""} 1\n');
  expect(exposed).toContain('sallyport_messages_denied_total{reason="message_type_unknown"} 1\n');
  expect(exposed).toContain('sallyport_connection_seconds_count{reason="peer"} 1\n');
  expect(exposed).toContain('sallyport_store_available 1\n');
});
