import { readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Answer } from './answer.ts';

const here = dirname(import.meta.dirname);
/** The built code runs from `dist`, and the page's files are beside that. */
const PUBLIC = join(basename(here) === 'dist' ? dirname(here) : here, 'public');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Static files by the path of their URL. They are read once, and only those that are named, so no path leads elsewhere. */
export class Page {
  readonly #files: ReadonlyMap<string, Answer>;

  /** `connect` are the origins that the page's scripts may talk to, beside its own. */
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
