/** Pages that are searched for one that is shown, so that a caller who may see little of a long list does not make a request endless. */
const PAGES_MAX = 20;

/**
 * `limit + 1` rows of a list that the caller may see, like a query for `limit + 1` rows of a list of which they may see everything. `fetch`
 * returns rows after an id, ordered by id.
 */
export async function visibleRows<R>(
  list: { readonly after: string; readonly limit: number },
  fetch: (after: string, limit: number) => Promise<R[]>,
  idOf: (row: R) => string,
  sees: (row: R) => boolean | Promise<boolean>,
): Promise<R[]> {
  const found: R[] = [];
  let { after } = list;
  for (let page = 0; page < PAGES_MAX && found.length <= list.limit; page++) {
    const rows = await fetch(after, list.limit);
    for (const row of rows) if (await sees(row)) found.push(row);
    if (rows.length <= list.limit) break;
    after = idOf(rows.at(-1)!);
  }
  return found.slice(0, list.limit + 1);
}
