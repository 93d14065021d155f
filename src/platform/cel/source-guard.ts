import { parse } from '@bufbuild/cel';
import { exceedsCharacters } from '../../kernel/characters.js';
import { ExpressionError } from './cel-errors.js';

export const sourceLengthMax = 2048;
export const nestingMax = 24;

export type Parsed = ReturnType<typeof parse>;
export type Expr = Parsed['expr'];

/**
 * Parses a source after checking its nesting: the parser recurses for each opening bracket. Chains without brackets (`a?b:c?d:…`, 500 of
 * them 20 ms) are limited by the length alone.
 */
export function parseSource(source: string): Parsed {
  if (exceedsCharacters(source, sourceLengthMax)) {
    throw new ExpressionError(`the expression is longer than ${sourceLengthMax} characters`, sourceLengthMax);
  }
  refuseDeepNesting(source);
  try {
    return parse(source);
  } catch (error) {
    if (error instanceof RangeError) throw new ExpressionError('the expression is nested too deeply', 0);
    throw new ExpressionError(messageIn(error), offsetIn(error));
  }
}

function refuseDeepNesting(source: string): void {
  let depth = 0;
  for (let i = 0; i < source.length; i++) {
    switch (source[i]) {
      case '(':
      case '[':
      case '{':
        if (++depth > nestingMax) throw new ExpressionError(`more than ${nestingMax} brackets within each other`, i);
        break;
      case ')':
      case ']':
      case '}':
        depth--;
        break;
      case '"':
      case "'":
        i = literalEnd(source, i);
        break;
      case '/':
        if (source[i + 1] === '/') i = lineEnd(source, i);
        break;
      default:
    }
  }
}

/** Where a text literal ends. With `r` before it backslashes mean nothing; three quotes end with three. */
function literalEnd(source: string, start: number): number {
  const quote = source[start] as string;
  const end = source.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  const raw = /[rR][bB]?$/.test(source.slice(Math.max(0, start - 2), start));
  for (let i = start + end.length; i < source.length; i++) {
    if (source[i] === '\\' && !raw) i++;
    else if (source.startsWith(end, i)) return i + end.length - 1;
  }
  return source.length;
}

function lineEnd(source: string, start: number): number {
  const end = source.indexOf('\n', start);
  return end < 0 ? source.length : end;
}

/** The parser's errors carry their position, and say it in their message too; its classes are not exported. */
function offsetIn(error: unknown): number {
  const offset = (error as { location?: { start?: { offset?: unknown } } }).location?.start?.offset;
  return typeof offset === 'number' ? offset : 0;
}

function messageIn(error: unknown): string {
  if (!(error instanceof Error)) return 'the expression is not valid';
  return error.message.replace(/^<input>:\d+:\d+: /, '').slice(0, 300);
}
