import type { IncomingMessage } from 'node:http';
import { answerWith101 } from '@sallyport/ws/host';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

const replies = new WeakMap<IncomingMessage, FastifyReply>();

/**
 * Keeps @fastify/websocket from hijacking the reply of a WebSocket route. A hijacked reply runs no `onSend` hook, and
 * @fastify/session would neither save a session nor set its cookie. Call it from the `onRoute` hook.
 */
export function keepReplyOpen(route: RouteOptions): void {
  // The last `preHandler`, so that those of the application may still hijack the reply.
  route.preHandler = [route.preHandler ?? [], preventHijack].flat() as RouteOptions['preHandler'];
}

function preventHijack(request: FastifyRequest, reply: FastifyReply, next: () => void): void {
  if (request.ws) {
    replies.set(request.raw, reply);
    reply.hijack = () => reply;
  }
  next();
}

/** Sends the reply with status 101 through Fastify, so that `onSend` hooks run, and then hijacks it. */
export async function sendReplyWith101(raw: IncomingMessage): Promise<void> {
  const reply = replies.get(raw);
  if (reply === undefined) return;
  replies.delete(raw);
  Reflect.deleteProperty(reply, 'hijack');
  await answerWith101(raw, () => void reply.code(101).send());
  reply.hijack();
}
