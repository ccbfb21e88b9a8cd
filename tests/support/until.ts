/** Waiting for what a test has started. @module */

/** Ask again until the answer is yes. Throws when it is not within `seconds`. */
export async function until(what: string, ask: () => Promise<boolean>, seconds = 60): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`Waited ${seconds} seconds in vain: ${what}`);
    await Bun.sleep(100);
  }
}
