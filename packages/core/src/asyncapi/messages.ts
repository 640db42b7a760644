import { AUTH_TYPE } from '../auth/auth-message.ts';
import type { Route } from '../guard/route.ts';
import type { CompiledType } from '../message/rules.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { bodyOf } from './body.ts';
import type { MessageObject } from './document.ts';
import { portable } from './portable-schema.ts';
import type { SchemaShelf } from './schema-shelf.ts';

/** The messages of a route in both directions. */
export interface RouteMessages {
  readonly received: readonly MessageObject[];
  readonly sent: readonly MessageObject[];
  /** Those of `sent` that answer any request, told apart by their id. */
  readonly answers: readonly MessageObject[];
}

const JSON_TYPE = 'application/json';

export function messagesOf(route: Route, schemas: SchemaShelf): RouteMessages {
  return new MessageDescriber(route, schemas).all();
}

class MessageDescriber {
  constructor(
    readonly route: Route,
    readonly schemas: SchemaShelf,
  ) {}

  all(): RouteMessages {
    const { rules, replies, settings } = this.route;
    const opaque = rules.passthrough === undefined ? [] : [this.#opaque()];
    const types = [...rules.types.values()].map((type) => this.#type(type));
    const auth = rules.renewal || this.#authenticatesLate ? [this.#auth()] : [];
    const named = [...(replies ?? [])].map(([type, { document }]) => this.#notice(type, document));
    const other = replies === undefined && rules.passthrough === undefined ? [this.#anything()] : [];
    const answer = rules.passthrough === undefined ? this.#answer() : [];
    const isRead = rules.passthrough === undefined || this.#authenticatesLate || settings.onFault === 'reply';
    const errors = isRead ? [this.#error()] : [];
    return {
      received: [...opaque, ...types, ...auth],
      sent: [...opaque, ...named, ...other, ...answer, ...this.#authNotices(), ...errors],
      answers: answer.length === 0 ? [] : [...answer, ...errors],
    };
  }

  get #authenticatesLate(): boolean {
    return this.route.settings.firstMessage !== false;
  }

  #type(type: CompiledType): MessageObject {
    const { envelope } = this.route.rules;
    const body = bodyOf(type.check.document, type.name, envelope, this.schemas);
    return this.#message(type.name, envelope.describe(type.name, body), sentencesOn(type));
  }

  #notice(type: string, document: SchemaNode | undefined, sentences: readonly string[] = []): MessageObject {
    const { envelope } = this.route.rules;
    const body = bodyOf(document, type, envelope, this.schemas);
    return this.#message(type, envelope.describeNotice(type, body), sentences);
  }

  #anything(): MessageObject {
    const { envelope } = this.route.rules;
    const body = bodyOf(undefined, undefined, envelope, this.schemas);
    return this.#message('message', envelope.describeNotice(undefined, body), [
      'It is not told which messages the server sends.',
    ]);
  }

  /** Opaque content, which the guard does not read. */
  #opaque(): MessageObject {
    const { text, binary } = this.route.rules.passthrough ?? {};
    const kind = text && binary ? 'text or binary' : text ? 'text' : 'binary';
    return {
      name: 'opaque',
      description: `A ${kind} message of a protocol of its own. At most ${this.route.rules.maxBytes} bytes from clients.`,
      contentType: binary ? 'application/octet-stream' : 'text/plain',
      payload: text && !binary ? { type: 'string' } : {},
    };
  }

  /** In JSON-RPC, a handler may return anything. */
  #answer(): MessageObject[] {
    const payload = this.route.rules.envelope.describeAnswer();
    return payload === undefined
      ? []
      : [this.#message('result', payload, ['The answer to a message that had this id.'])];
  }

  #auth(): MessageObject {
    const { envelope } = this.route.rules;
    const fields = this.route.settings.auth.flatMap(({ messageField }) => messageField ?? []);
    const bodies = [...new Set(fields)].map((field) => ({
      type: 'object',
      properties: { [field]: { type: 'string' } },
      required: [field],
      additionalProperties: false,
    }));
    const document = bodies.length === 1 ? bodies[0] : { oneOf: bodies };
    return this.#message(
      AUTH_TYPE,
      envelope.describe(AUTH_TYPE, bodyOf(document, AUTH_TYPE, envelope, this.schemas)),
      [
        ...(this.#authenticatesLate ? ['Says who connects, as the first message.'] : []),
        ...(this.route.rules.renewal ? ['Renews the credential of an open connection.'] : []),
      ],
    );
  }

  #authNotices(): MessageObject[] {
    const { rules, settings } = this.route;
    const notice = settings.renewal === false ? undefined : settings.renewal.notice;
    const expiry = { type: 'number', description: 'Seconds since the epoch.' };
    const body = { type: 'object', properties: { expiresAt: expiry }, additionalProperties: false };
    const isAnswered = this.#authenticatesLate && !rules.envelope.mergesType;
    return [
      ...(rules.renewal || isAnswered
        ? [this.#notice('auth_ok', body, ['The credential was accepted; until when, if it ends.'])]
        : []),
      ...(notice
        ? [
            this.#notice('auth_expiring', { ...body, required: ['expiresAt'] }, [
              'The credential ends soon; renew it with `auth`.',
            ]),
          ]
        : []),
    ];
  }

  #error(): MessageObject {
    return this.#message('error', this.route.rules.envelope.describeError(), [
      'A message was refused, or could not be handled.',
    ]);
  }

  #message(name: string, described: SchemaNode, sentences: readonly string[]): MessageObject {
    const { envelope, codec } = this.route.rules;
    const payload = portable(described);
    const hasId = !envelope.mergesType && 'id' in (payload.properties as object);
    return {
      name,
      ...(sentences.length > 0 && { description: sentences.join(' ') }),
      contentType: codec?.contentType ?? JSON_TYPE,
      payload,
      ...(hasId && { correlationId: { location: '$message.payload#/id' } }),
    };
  }
}

/** What a client must know of a type besides its schema. */
function sentencesOn({ size, rate, after, once, freshness }: CompiledType): string[] {
  const steps = after.map((step) => `\`${step}\``).join(' and ');
  return [
    `At most ${size} bytes.`,
    ...(rate === undefined
      ? []
      : [`At most ${rate.burst} at once, and then one in ${Math.ceil(rate.interval)} ms.`]),
    ...(steps === '' ? [] : [`Only after ${steps}.`]),
    ...(once ? ['Once on a connection.'] : []),
    ...(freshness === undefined
      ? []
      : [
          `With a credential issued at most ${freshness / 1_000} s before; else the answer is \`step_up_required\`.`,
        ]),
  ];
}
