/** Stops what the global set-up has started. */
export default async function stopPostgres() {
  await globalThis.stopTestPostgres?.();
}
