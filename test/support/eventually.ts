/** Waits until a condition holds that another part of the process, or the network, brings about. Fails if it never does. */
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
