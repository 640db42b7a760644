import { join } from 'node:path';
import { reasons } from '@sallyport/core';
import { ANONYMOUS_OPTIONS } from '../../packages/core/src/auth/anonymous.ts';
import { CUSTOM_OPTIONS } from '../../packages/core/src/auth/custom.ts';
import { KEY_OPTIONS } from '../../packages/core/src/auth/jwt-keys.ts';
import { JWT_OPTIONS } from '../../packages/core/src/auth/jwt-options.ts';
import { TICKET_OPTIONS } from '../../packages/core/src/auth/tickets.ts';
import {
  MESSAGE_OPTIONS,
  ROUTE_LIMITS,
  ROUTE_OPTIONS,
  SERVER_LIMITS,
  SERVER_OPTIONS,
} from '../../packages/core/src/policy/options-table.ts';
import type { Option, OptionTable } from '../../packages/core/src/vocabulary/option.ts';
import { type Interfaces, interfacesIn, type MemberDoc } from './doc-comments.ts';
import { root } from './markdown.ts';

/** One option: its row in the table, and its doc comment where users see it. */
export interface DescribedOption {
  /** With the options around it: `json.depth`. */
  readonly name: string;
  readonly option: Option;
  /** Absent where no interface has such a member. */
  readonly doc: MemberDoc | undefined;
}

/** The tables of options, each with the interfaces whose members describe it. */
const SECTIONS: readonly (readonly [title: string, table: OptionTable, ...interfaces: string[]])[] = [
  ['Of every route', ROUTE_OPTIONS, 'RoutePolicy', 'PolicyOptions'],
  ['Of the whole server', SERVER_OPTIONS, 'PolicyOptions'],
  ['`limits` of every route', ROUTE_LIMITS, 'RouteLimits'],
  ['`limits` of the whole server', SERVER_LIMITS, 'Limits'],
  ['Of a type in `messages`', MESSAGE_OPTIONS, 'MessageRule'],
  ['`jwt()`', JWT_OPTIONS, 'JwtOptions'],
  ['`jwt()`: its key', KEY_OPTIONS, 'KeyOptions'],
  ['`tickets()`', TICKET_OPTIONS, 'TicketOptions'],
  ['`custom()`', CUSTOM_OPTIONS, 'CustomOptions'],
  ['`anonymous()`', ANONYMOUS_OPTIONS, 'AnonymousOptions'],
];

/** The reference as `docs/start.md` has to hold it: the tables of options, and that of reasons. */
export function reference(): string {
  const tables = describedOptions().map(([title, options]) =>
    [
      `#### ${title}`,
      '',
      '| option | type | default | beyond it | what it does |',
      '|---|---|---|---|---|',
      ...options.map(row),
    ].join('\n'),
  );
  return [...tables, reasonTable()].join('\n\n');
}

/** Every option of the reference, by the title of its table. */
export function describedOptions(): (readonly [title: string, options: readonly DescribedOption[]])[] {
  const interfaces = interfacesIn(join(root, 'packages/core/src'));
  return SECTIONS.map(([title, table, ...names]) => {
    const members = names.flatMap((name) => interfaces.get(name) ?? []);
    return [title, describeAll(table, members, interfaces)] as const;
  });
}

function describeAll(
  table: OptionTable,
  members: readonly MemberDoc[],
  interfaces: Interfaces,
  around = '',
): DescribedOption[] {
  return Object.entries(table).flatMap(([name, option]) => {
    const doc = members.find((member) => member.name === name);
    const path = around + name;
    const inner = describeAll(
      option.kind.options ?? {},
      doc?.inner(interfaces) ?? [],
      interfaces,
      `${path}.`,
    );
    return [{ name: path, option, doc }, ...inner];
  });
}

function row({ name, option, doc }: DescribedOption): string {
  const type = `\`${option.kind.type.replaceAll('|', '\\|')}\``;
  return `| \`${name}\` | ${type} | ${fallbackOf(option)} | ${doc?.exceeded ?? ''} | ${doc?.text ?? ''} |`;
}

/** The default of an option in words; of an object none, since its options have their own. */
export function fallbackOf({ required, fallback, otherwise }: Option): string {
  if (required) return '**required**';
  return otherwise ?? spelled(fallback);
}

function spelled(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en-US');
  if (typeof value === 'string') return /^\d/.test(value) ? quantity(value) : `\`'${value}'\``;
  if (Array.isArray(value)) return 'none';
  if (typeof value !== 'object') return `\`${value}\``;
  const { rate, burst } = value as { rate?: string; burst?: string | number };
  return rate === undefined ? '' : `${quantity(rate)}, burst ${quantity(String(burst))}`;
}

const UNITS: Readonly<Record<string, string>> = { m: 'min', d: 'days' };

/** `64KiB` is 64 KiB, `10m` 10 min and `50/s` 50/s. */
function quantity(text: string): string {
  const [, amount = '', unit = '', per = ''] = /^([\d.]+)([A-Za-z]*)(\/\w)?$/.exec(text) ?? [];
  const name = amount === '1' && unit === 'd' ? 'day' : (UNITS[unit] ?? unit);
  return `${amount}${name === '' ? '' : ` ${name}`}${per}`;
}

function reasonTable(): string {
  const rows = Object.entries(reasons).map(
    ([reason, { http, close, text, retry }]: [
      string,
      { http?: number; close?: number; text: string; retry: string },
    ]) => `| \`${reason}\` | ${http ?? '–'} | ${close ?? '–'} | ${retry} | ${text} |`,
  );
  return [
    '#### Reasons',
    '',
    '| reason | HTTP | close | retry | what the client is told |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
