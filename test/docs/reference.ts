import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasons } from '@sallyport/core';
import { root } from './markdown.ts';

/** One option as its doc comment describes it. */
export interface OptionDoc {
  /** With the options around it: `json.depth`. */
  readonly name: string;
  readonly type: string;
  readonly text: string;
  /** What the comment says after `Default:`. */
  readonly fallback: string;
  /** What the comment says after `Beyond:`, `Else:` or `Then:`. */
  readonly exceeded: string;
}

/** Where the options are described, and the heading of the reference that repeats it. */
const TABLES: readonly (readonly [title: string, file: string, declaration: string])[] = [
  ['Of every route', 'policy/policy.ts', 'interface RoutePolicy'],
  ['Of the whole server', 'policy/policy.ts', 'interface PolicyOptions'],
  ['`limits` of every route', 'policy/policy.ts', 'interface RouteLimits'],
  ['`limits` of the whole server', 'policy/policy.ts', 'interface Limits'],
  ['`jwt()`', 'auth/jwt.ts', 'interface JwtOptions'],
  ['`jwt()`: its key', 'auth/jwt-keys.ts', 'interface KeyOptions'],
  ['`custom()`', 'auth/custom.ts', 'interface CustomOptions'],
];

/** The reference as `docs/start.md` has to hold it: the doc comments of the sources, and the table of reasons. */
export function reference(): string {
  const tables = TABLES.map(([title, file, declaration]) => {
    const rows = optionsOf(sourceOf(file), declaration)
      .filter(({ name }) => name !== 'limits') // They have tables of their own.
      .map(
        ({ name, type, text, fallback, exceeded }) =>
          `| \`${name}\` | ${code(type)} | ${fallback} | ${[text, exceeded].filter(Boolean).join(' ')} |`,
      );
    return [
      `#### ${title}`,
      '',
      '| option | type | default | what it does |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return [...tables, reasonTable()].join('\n\n');
}

export function sourceOf(file: string): string {
  return readFileSync(join(root, 'packages/core/src', file), 'utf8');
}

/** The documented members of an interface, inner objects included. */
export function optionsOf(source: string, declaration: string): OptionDoc[] {
  const lines = source.split('\n');
  const start = lines.findIndex((line) => line.includes(`export ${declaration}`));
  if (start === -1) throw new Error(`There is no ${declaration}.`);
  const options: OptionDoc[] = [];
  const around: string[] = [];
  let comment = '';
  for (let i = start + 1; lines[i] !== '}'; i++) {
    const line = (lines[i] as string).trim();
    const member = /^readonly (\w+)(\??): (.*)$/.exec(line);
    if (/^\/?\*/.test(line))
      comment += ` ${line
        .replace(/^\/?\*+\/?/, '')
        .replace(/\*\/$/, '')
        .trim()}`;
    else if (line === '};') around.pop();
    else if (member !== null) {
      const [, name = '', optional, rest = ''] = member;
      let type = rest;
      // A type that goes on over several lines ends where the next member begins.
      while (!/[;{]$/.test(type)) type += ` ${(lines[++i] as string).trim()}`;
      if (isCallback(type)) while (!/^ {2}\S.*;$|^ {2}\}\) => .*;$/.test(lines[i] as string)) i++;
      const option = describe([...around, name].join('.'), type, comment);
      options.push(optional === '?' ? option : { ...option, fallback: '**required**' });
      comment = '';
      if (type === '{') around.push(name);
    }
  }
  return options;
}

function isCallback(type: string): boolean {
  return /^\(.*\{$/.test(type);
}

function describe(name: string, type: string, comment: string): OptionDoc {
  let text = comment.replace(/\s+/g, ' ').trim();
  const take = (label: RegExp): string => {
    const match = new RegExp(`(?:^|(?<=\\. ))(?:${label.source}) (.*?\\.)(?= [A-Z\`]|$)`).exec(text);
    if (match === null) return '';
    text = text.replace(match[0], '').replace(/\s+/g, ' ').trim();
    return match[0];
  };
  const exceeded = take(/Beyond:|Else:|Then:/);
  const fallback = take(/Default:/)
    .replace(/^Default: /, '')
    .replace(/\.$/, '');
  return { name, type: shortType(type), text, fallback, exceeded };
}

/** What a reader has to type; the types behind the names are the editor's to show. */
function shortType(type: string): string {
  if (type === '{') return '';
  if (type.startsWith('(')) return 'function';
  const plain = type.replace(/;$/, '').replaceAll('readonly ', '').replaceAll('typeof ', '');
  if (/^[A-Z]$/.test(plain)) return '';
  if (plain === 'Scheme') return 'string';
  return /[{[]/.test(plain) && plain.length > 40 ? '' : plain;
}

function code(type: string): string {
  return type === '' ? '' : `\`${type.replaceAll('|', '\\|')}\``;
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
