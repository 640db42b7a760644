import type { IncomingMessage } from 'node:http';
import { connectionOf, guardServer } from '@sallyport/ws';
import { WebSocketServer } from 'ws';
import { type Answer, bodyProblem, notFound, sendAnswer } from './chat/answer.ts';
import type { Api } from './chat/api.ts';
import { readJson } from './chat/body.ts';
import type { Page } from './chat/page.ts';
import { createWebServer, listenGuarded, type Serve } from './server/web-server.ts';

/** The chat on `node:http` and plain `ws`. */
export const serveWs: Serve = (api, page, { port, certificate }) => {
  const { chat } = api;
  const server = createWebServer(certificate, (request, response) => {
    if (request.method === 'GET' && request.url === '/decisions') {
      chat.feed.stream(response);
      return;
    }
    answer(api, page, request)
      .catch(bodyProblem)
      .then((found) => sendAnswer(response, found));
  });

  const wss = new WebSocketServer({ noServer: true });
  guardServer(server, wss, chat.guard, { path: '/chat' });
  wss.on('connection', (socket) => chat.join(connectionOf(socket, chat.guard)));

  const late = new WebSocketServer({ noServer: true });
  guardServer(server, late, chat.late, { path: '/chat/late' });
  late.on('connection', (socket) => chat.join(connectionOf(socket, chat.late)));

  return listenGuarded(server, chat.guard, port);
};

async function answer(api: Api, page: Page, request: IncomingMessage): Promise<Answer> {
  const { headers, url = '/' } = request;
  const path = url.split('?')[0] ?? '/';
  switch (`${request.method} ${path}`) {
    case 'POST /login':
      return api.login(headers, await readJson(request));
    case 'POST /logout':
      return api.logout(headers);
    case 'POST /token':
      return api.token(headers);
    case 'POST /ticket':
      return api.ticket(headers);
    case 'GET /health':
      return api.health();
    case 'GET /setup':
      return api.setup(headers);
    default:
      return (request.method === 'GET' && page.get(path)) || notFound;
  }
}
