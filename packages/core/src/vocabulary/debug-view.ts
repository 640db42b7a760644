/** Node's `util.inspect.custom`. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Lets `util.inspect`, `console.log` and debuggers show these facts of a class's objects instead of their fields,
 * which may hold secrets.
 */
export function showAs<T extends object>(
  name: string,
  prototype: T,
  factsOf: (object: T) => object | undefined,
): void {
  Object.defineProperty(prototype, INSPECT, debugView(name, factsOf));
}

/**
 * The property that does the same for one object, under the key `INSPECT`. `factsOf` returns `undefined` for an object
 * that only inherits from it, such as a proxy.
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
