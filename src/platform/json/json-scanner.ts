/** What `JsonScanner` returns in place of a position. Positions are 0 or more. */
export const NOT_JSON = -1;
export const TOO_DEEP = -2;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Walks over JSON in UTF-8 bytes and checks it, without building anything: each method takes the position of what it expects and returns
 * the position after it, or one of the two refusals. It accepts exactly what `JSON.parse` accepts (a property test compares the two),
 * provided that the bytes are valid UTF-8. Recursion ends at the depth limit, so a bomb of brackets is refused after as many bytes as the
 * limit has levels.
 *
 * It reads bytes, not a string, because `charCodeAt` checks the string's representation each time. Measured on Node 24 (2 cores, shared),
 * syntax check alone: 300 B 0.32 µs, 1 KB 1.4 µs, 10 KB 15 µs; over a string 0.8, 3.2 and 32 µs; `JSON.parse` 1.2, 4.3 and 39 µs. The same
 * code as free functions with the bytes in a module variable or in an argument was 10 to 20 % slower.
 */
export class JsonScanner {
  readonly size: number;
  /** Where the last refusal occurred. */
  refusedAt = 0;

  constructor(readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  /** The byte at a position; behind the end 0, which JSON never contains. */
  at(i: number): number {
    return i < this.size ? (this.bytes[i] as number) : 0;
  }

  space(i: number): number {
    while (i < this.size) {
      const c = this.bytes[i] as number;
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
      i++;
    }
    return i;
  }

  /** A value; `depthLeft` is how many more levels of arrays and objects may open. */
  value(i: number, depthLeft: number): number {
    switch (this.at(i)) {
      case QUOTE:
        return this.string(i);
      case 0x7b:
        return depthLeft === 0 ? this.#refuse(i, TOO_DEEP) : this.#object(i + 1, depthLeft - 1);
      case 0x5b:
        return depthLeft === 0 ? this.#refuse(i, TOO_DEEP) : this.#array(i + 1, depthLeft - 1);
      case 0x74:
        return this.#word(i, 'true');
      case 0x66:
        return this.#word(i, 'false');
      case 0x6e:
        return this.#word(i, 'null');
      default:
        return this.#number(i);
    }
  }

  /** A string, from its opening quote. */
  string(i: number): number {
    const { bytes, size } = this;
    if (this.at(i) !== QUOTE) return this.#refuse(i, NOT_JSON);
    i++;
    for (;;) {
      let c = 0;
      while (i < size && (c = bytes[i] as number) !== QUOTE && c !== BACKSLASH && c >= 0x20) i++;
      if (i >= size || c < 0x20) return this.#refuse(i, NOT_JSON);
      if (c === QUOTE) return i + 1;
      i = this.#escape(i + 1);
      if (i < 0) return i;
    }
  }

  /** The separator between two members or elements, with the space around it: the start of the next one, or 0 after the last. */
  next(i: number, close: number): number {
    const c = this.at(i);
    if (c === close) return 0;
    if (c !== COMMA) return this.#refuse(i, NOT_JSON);
    return this.#gap(i + 1);
  }

  /** The colon after a key, with the space around it. */
  colon(i: number): number {
    i = this.#gap(i);
    return this.at(i) === COLON ? this.#gap(i + 1) : this.#refuse(i, NOT_JSON);
  }

  #object(i: number, depthLeft: number): number {
    i = this.#gap(i);
    if (this.at(i) === 0x7d) return i + 1;
    for (;;) {
      i = this.string(i);
      if (i < 0) return i;
      i = this.colon(i);
      if (i < 0) return i;
      i = this.value(i, depthLeft);
      if (i < 0) return i;
      i = this.#gap(i);
      const next = this.next(i, 0x7d);
      if (next <= 0) return next < 0 ? next : i + 1;
      i = next;
    }
  }

  #array(i: number, depthLeft: number): number {
    i = this.#gap(i);
    if (this.at(i) === 0x5d) return i + 1;
    for (;;) {
      i = this.value(i, depthLeft);
      if (i < 0) return i;
      i = this.#gap(i);
      const next = this.next(i, 0x5d);
      if (next <= 0) return next < 0 ? next : i + 1;
      i = next;
    }
  }

  /** Compact JSON has no space between tokens: one comparison shows that, and the loop is not entered. */
  #gap(i: number): number {
    return i < this.size && (this.bytes[i] as number) <= 0x20 ? this.space(i) : i;
  }

  #escape(i: number): number {
    switch (this.at(i)) {
      case 0x75:
        for (let digit = i + 1; digit < i + 5; digit++) {
          if (!isHexDigit(this.at(digit))) return this.#refuse(digit, NOT_JSON);
        }
        return i + 5;
      case QUOTE:
      case BACKSLASH:
      case 0x2f:
      case 0x62:
      case 0x66:
      case 0x6e:
      case 0x72:
      case 0x74:
        return i + 1;
      default:
        return this.#refuse(i, NOT_JSON);
    }
  }

  #number(i: number): number {
    if (this.at(i) === MINUS) i++;
    if (this.at(i) === ZERO) i++;
    else if ((i = this.#digits(i)) < 0) return i;
    if (this.at(i) === POINT && (i = this.#digits(i + 1)) < 0) return i;
    if ((this.at(i) | 0x20) !== 0x65) return i;
    const sign = this.at(i + 1);
    return this.#digits(sign === MINUS || sign === 0x2b ? i + 2 : i + 1);
  }

  #digits(i: number): number {
    const start = i;
    while (i < this.size && (this.bytes[i] as number) >= ZERO && (this.bytes[i] as number) <= NINE) i++;
    return i === start ? this.#refuse(i, NOT_JSON) : i;
  }

  #word(i: number, word: string): number {
    for (let k = 1; k < word.length; k++) {
      if (this.at(i + k) !== word.charCodeAt(k)) return this.#refuse(i + k, NOT_JSON);
    }
    return i + word.length;
  }

  #refuse(i: number, why: number): number {
    this.refusedAt = i;
    return why;
  }
}

function isHexDigit(c: number): boolean {
  return (c >= ZERO && c <= NINE) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}
