/** The method by which an object shows itself in `util.inspect`, `console.log` and debuggers (Node, `util.inspect.custom`). */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Has the objects of a class show these facts where Node prints them, and nothing else that they hold: no secret, and no
 * part of the guard's own. `factsOf` answers `undefined` for what only inherits from the class, such as a proxy.
 */
export function showAs<T extends object>(
  name: string,
  prototype: T,
  factsOf: (object: T) => object | undefined,
): void {
  const View = { [name]: class {} }[name] as new () => object;
  Object.defineProperty(prototype, INSPECT, {
    value(this: T): object {
      return Object.assign(new View(), factsOf(this));
    },
  });
}
