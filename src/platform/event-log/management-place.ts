import { MANAGEMENT_TOPICS } from '../../kernel/aggregate.js';

/** A place in a management log, which callers know as text: `tenants.42`. */
export interface ManagementPlace {
  readonly topicUid: string;
  readonly position: number;
}

const UIDS = new Map<string, string>(Object.entries(MANAGEMENT_TOPICS));
const NAMES = new Map<string, string>(Object.entries(MANAGEMENT_TOPICS).map(([name, uid]) => [uid, name]));

export const placeText = ({ topicUid, position }: ManagementPlace): string => `${NAMES.get(topicUid)}.${position}`;

/** Undefined: there is no such log. */
export function placeOf(text: string): ManagementPlace | undefined {
  const [name, position] = text.split('.') as [string, string];
  const topicUid = UIDS.get(name);
  return topicUid === undefined ? undefined : { topicUid, position: Number(position) };
}
