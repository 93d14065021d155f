import { type CelList, type CelMap, type CelValue, isCelList, isCelMap, isCelType, isCelUint } from '@bufbuild/cel';
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import { charge } from './work-budget.js';

/** CEL's equality: numbers by value whatever their type, lists and maps member by member; values of different types are never equal. */
export function equalValues(l: CelValue, r: CelValue): boolean {
  charge(3);
  if (typeof l === 'string' || typeof r === 'string') {
    if (typeof l !== typeof r) return false;
    charge((l as string).length >> 5);
    return l === r;
  }
  const left = isCelUint(l) ? l.value : l;
  const right = isCelUint(r) ? r.value : r;
  // The only place for the loose operator: it compares a bigint with a double exactly.
  // oxlint-disable-next-line eqeqeq
  if (isNumber(left) && isNumber(right)) return left == right;
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (isCelMap(left)) return isCelMap(right) && equalMaps(left, right);
  if (isCelList(left)) return isCelList(right) && equalLists(left, right);
  if (isCelType(left)) return isCelType(right) && left.kind === right.kind && left.name === right.name;
  if (left instanceof Uint8Array) return right instanceof Uint8Array && equalBytes(left, right);
  return 'message' in left && 'message' in right && equalTimes(left.message, right.message);
}

export function isInList(value: CelValue, list: CelList): boolean {
  for (let i = 0; i < list.size; i++) {
    charge(4);
    if (equalValues(value, list.get(i) as CelValue)) return true;
  }
  return false;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function equalLists(l: CelList, r: CelList): boolean {
  if (l.size !== r.size) return false;
  for (let i = 0; i < l.size; i++) {
    charge(6);
    if (!equalValues(l.get(i) as CelValue, r.get(i) as CelValue)) return false;
  }
  return true;
}

function equalMaps(l: CelMap, r: CelMap): boolean {
  if (l.size !== r.size) return false;
  for (const key of l.keys()) {
    charge(20);
    const theirs = r.get(key);
    if (theirs === undefined || !equalValues(l.get(key) as CelValue, theirs)) return false;
  }
  return true;
}

function equalBytes(l: Uint8Array, r: Uint8Array): boolean {
  charge(l.length >> 5);
  return Buffer.compare(l, r) === 0;
}

/** Timestamps and durations are the only messages an expression can contain. */
function equalTimes(l: unknown, r: unknown): boolean {
  const [left, right] = [l as Timestamp | Duration, r as Timestamp | Duration];
  return left.$typeName === right.$typeName && left.seconds === right.seconds && left.nanos === right.nanos;
}
