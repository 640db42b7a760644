/** What `await` takes and a chain of `then`s does not: an object whose `then` calls back and returns nothing. */
export function bareThenable<T>(value: T): Promise<T> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is meant to be one
    then: (resolve: (value: T) => void): void => resolve(value),
  } as unknown as Promise<T>;
}
