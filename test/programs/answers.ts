// For forked programs: answers the questions of the parent process, and exits with it.

interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: readonly never[];
}

/** Answers each question by calling the function of its name. */
export function answers<T extends Record<string, (...args: never[]) => unknown>>(functions: T): void {
  const known: Record<string, (...args: never[]) => unknown> = { ready: () => undefined, ...functions };
  process.on('message', async ({ id, name, args }: Question) => {
    try {
      process.send?.({ id, value: await known[name]?.(...args) });
    } catch (error) {
      process.send?.({ id, error: String(error) });
    }
  });
  process.once('disconnect', () => process.exit());
}
