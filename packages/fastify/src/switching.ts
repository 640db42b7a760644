import type { IncomingMessage } from 'node:http';
import { answerSwitching } from '@sallyport/ws/host';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

const replies = new WeakMap<IncomingMessage, FastifyReply>();

/**
 * Keeps the reply of a WebSocket route answerable. @fastify/websocket hijacks it, and a hijacked reply runs no `onSend`
 * hook: @fastify/session would neither save a session nor set its cookie. To be called as the route is defined.
 */
export function keepReply(route: RouteOptions): void {
  // The last of the hooks, so that one of the application's may still hijack.
  route.preHandler = [route.preHandler ?? [], keep].flat() as RouteOptions['preHandler'];
}

function keep(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (request.ws) {
    replies.set(request.raw, reply);
    reply.hijack = () => reply;
  }
  next();
}

/** Answers with 101 as Fastify answers anything, so that `onSend` runs; then the reply is hijacked for good. */
export async function sendSwitching(raw: IncomingMessage): Promise<void> {
  const reply = replies.get(raw);
  if (reply === undefined) return;
  replies.delete(raw);
  Reflect.deleteProperty(reply, 'hijack');
  await answerSwitching(raw, () => void reply.code(101).send());
  reply.hijack();
}
