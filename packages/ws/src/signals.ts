import { isAskedByMessage } from './process-manager.ts';

/** A signal, or the message `shutdown` of a process manager. */
type Request = NodeJS.Signals | 'message';

interface Waiting {
  readonly callbacks: Set<() => void>;
  /** The only listener of the process, however many servers wait: Node warns of more than ten listeners. */
  readonly listener: (message: unknown) => void;
}

const waiting = new Map<Request, Waiting>();

/**
 * Calls back once, at the first of these signals, or when a process manager asks the process to stop with a message. A second signal
 * has its default effect, since nothing listens for it any more. Returns a function that ends the waiting.
 */
export function onSignal(signals: readonly NodeJS.Signals[], callback: () => void): () => void {
  const requests: Request[] = isAskedByMessage() ? [...signals, 'message'] : [...signals];
  const called = (): void => {
    stop();
    callback();
  };
  const stop = (): void => {
    for (const request of requests) leave(request, called);
  };
  for (const request of requests) join(request, called);
  return stop;
}

function join(request: Request, callback: () => void): void {
  const known = waiting.get(request);
  if (known !== undefined) {
    known.callbacks.add(callback);
    return;
  }
  const callbacks = new Set([callback]);
  const listener = (message: unknown): void => {
    if (request === 'message' && message !== 'shutdown') return;
    for (const one of [...callbacks]) one();
  };
  waiting.set(request, { callbacks, listener });
  process.on(request, listener);
}

function leave(request: Request, callback: () => void): void {
  const known = waiting.get(request);
  if (known?.callbacks.delete(callback) !== true || known.callbacks.size > 0) return;
  waiting.delete(request);
  process.off(request, known.listener);
}
