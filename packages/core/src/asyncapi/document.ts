import type { SchemaNode } from '../wire/envelope.ts';

/** A JSON Reference within the document. */
export interface Reference {
  readonly $ref: string;
}

/** Where the API is served. */
export interface AsyncApiServer {
  /** The host, with its port unless it is the protocol's default: `chat.example.com`. */
  readonly host: string;
  /** Default: `'wss'`. */
  readonly protocol?: 'wss' | 'ws';
  /** The prefix of every channel's path, such as `/api`. */
  readonly pathname?: string;
  readonly title?: string;
  readonly description?: string;
}

/** A message, with its payload as JSON Schema (draft-07). */
export interface MessageObject {
  readonly name: string;
  readonly description?: string;
  readonly contentType: string;
  readonly payload: SchemaNode;
  readonly correlationId?: { readonly location: string };
}

/** A WebSocket route. */
export interface ChannelObject {
  /** `null` if the path is not given. */
  readonly address: string | null;
  readonly description?: string;
  readonly parameters?: Readonly<Record<string, object>>;
  readonly messages: Readonly<Record<string, Reference>>;
  readonly bindings: { readonly ws: HandshakeBinding };
}

/** The `ws` binding, version 0.1.0: what the handshake holds. */
export interface HandshakeBinding {
  readonly method: 'GET';
  readonly query?: SchemaNode;
  readonly headers: SchemaNode;
  readonly bindingVersion: '0.1.0';
}

/** A message received from clients or sent to them. */
export interface OperationObject {
  readonly action: 'receive' | 'send';
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
  readonly security?: readonly Reference[];
}

/** A place where a credential is looked for. */
export type SecurityScheme = { readonly description: string } & (
  | { readonly type: 'http'; readonly scheme: 'bearer' }
  | { readonly type: 'httpApiKey'; readonly in: 'cookie' | 'header' | 'query'; readonly name: string }
  | { readonly type: 'apiKey'; readonly in: 'password' }
);

/** An AsyncAPI 3 document: plain JSON. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly defaultContentType: 'application/json';
  readonly servers?: Readonly<
    Record<
      string,
      AsyncApiServer & { readonly protocol: 'wss' | 'ws'; readonly security?: readonly Reference[] }
    >
  >;
  readonly channels: Readonly<Record<string, ChannelObject>>;
  readonly operations: Readonly<Record<string, OperationObject>>;
  readonly components: {
    readonly messages: Readonly<Record<string, MessageObject>>;
    readonly schemas?: Readonly<Record<string, SchemaNode>>;
    readonly securitySchemes?: Readonly<Record<string, SecurityScheme>>;
  };
}
