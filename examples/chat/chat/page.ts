import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Answer } from './answer.ts';

const here = dirname(import.meta.dirname);
/** Beside this folder, or beside `dist` when the built code runs from there. */
const PUBLIC = join(basename(here) === 'dist' ? dirname(here) : here, 'public');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Static files by the path of their URL. Only the files that are named are read, once, so no path reaches another file. */
export class Page {
  readonly #files: ReadonlyMap<string, Answer>;

  /** @param connect origins that the scripts of the page may connect to, besides its own */
  constructor(files: Readonly<Record<string, string>>, connect: readonly string[] = []) {
    const policy = [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      ["connect-src 'self'", ...connect].join(' '),
      "frame-src 'self'",
      "frame-ancestors 'self'",
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; ');
    this.#files = new Map(
      Object.entries(files).map(([path, file]) => [path, read(file, policy)] as [string, Answer]),
    );
  }

  get(path: string): Answer | undefined {
    return this.#files.get(path);
  }
}

function read(file: string, policy: string): Answer {
  return {
    status: 200,
    headers: {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    },
    body: readFileSync(join(PUBLIC, file)),
  };
}
