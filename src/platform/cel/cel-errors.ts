import { defineErrors } from '../../kernel/domain-error.js';

export const filterError = defineErrors({
  'filter-invalid': { kind: 'invalid', title: 'The filter is not valid' },
  'filter-too-costly': { kind: 'unprocessable', title: 'The filter costs too much on this event' },
});

/** What is wrong with an expression, and where: an offset into its source. The caller knows what the expression was for. */
export class ExpressionError extends Error {
  constructor(
    detail: string,
    readonly offset: number,
  ) {
    super(detail);
    this.name = 'ExpressionError';
  }
}

/** The evaluation was abandoned: it says nothing about the event. */
export class TooCostlyError extends Error {
  override readonly name = 'TooCostlyError';
}

/** `line 1, column 7: no such variable`, counted from 1. */
export function withPosition(source: string, { offset, message }: ExpressionError): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}: ${message}`;
}
