/** Waits for something that another part of the process, or the network, is about to do; fails when it does not. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string,
  within = 20_000,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It never came: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
