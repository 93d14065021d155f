/** Which types of events an allowed action on events is limited to. */
export interface TypeRule {
  permits(type: string): boolean;
}

/** Allowed at this rate only: taken from when the request is let through. */
export interface RateRule {
  readonly grantId: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** More than yes or no: it may be limited to some types of events, and to a rate. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: 'allowed' | 'denied' | 'not-allowed';
  readonly types?: TypeRule;
  /** Of each of these, one must have room. */
  readonly rates?: readonly (readonly RateRule[])[];
  /** Which rates count depends on the type of the event: code that learns the type decides again, and takes from those instead. */
  readonly ratesByType?: true;
}

export const ALLOWED: Decision = { allowed: true, reason: 'allowed' };
export const DENIED: Decision = { allowed: false, reason: 'denied' };
export const NOT_ALLOWED: Decision = { allowed: false, reason: 'not-allowed' };

/**
 * Allows what both allow: the types that both permit, at the rates of both. What one of them denies is denied. Returns one of the two where
 * there is nothing to combine, as for nearly every request.
 */
export function intersect(a: Decision, b: Decision): Decision {
  if (a === ALLOWED) return b;
  if (b === ALLOWED) return a;
  if (!a.allowed || !b.allowed) return !a.allowed && (a.reason === 'denied' || b.allowed) ? a : b;
  const types = bothTypes(a.types, b.types);
  const rates = [...(a.rates ?? []), ...(b.rates ?? [])];
  return {
    allowed: true,
    reason: 'allowed',
    ...(types && { types }),
    ...(rates.length > 0 && { rates }),
    ...((a.ratesByType || b.ratesByType) && { ratesByType: true }),
  };
}

function bothTypes(a: TypeRule | undefined, b: TypeRule | undefined): TypeRule | undefined {
  if (!a || !b) return a ?? b;
  return { permits: (type) => a.permits(type) && b.permits(type) };
}
