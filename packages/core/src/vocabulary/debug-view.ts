/** The method by which an object shows itself in `util.inspect`, `console.log` and debuggers (Node, `util.inspect.custom`). */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Has the objects of a class show these facts where Node prints them, and nothing else that they hold. */
export function showAs<T extends object>(
  name: string,
  prototype: T,
  factsOf: (object: T) => object | undefined,
): void {
  Object.defineProperty(prototype, INSPECT, debugView(name, factsOf));
}

/**
 * The property that does the same for one object, under the key `INSPECT`. `factsOf` answers `undefined` for what only
 * inherits from the object, such as a proxy.
 */
export function debugView<T extends object>(
  name: string,
  factsOf: (object: T) => object | undefined,
): PropertyDescriptor {
  const View = { [name]: class {} }[name] as new () => object;
  return {
    value(this: T): object {
      return Object.assign(new View(), factsOf(this));
    },
  };
}
