/** Stops what the global set-up has started. */
export default async function tearDown() {
  await globalThis.tearDown?.();
}
