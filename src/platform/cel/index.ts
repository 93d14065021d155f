export { ExpressionError, filterError, withPosition as placed, TooCostlyError } from './cel-errors.js';
export { eventVariables, EventVariables, type FilterInput } from './event-variables.js';
export { compileExpression, type Expression } from './expression.js';
export { compileFilter, type EventFilter } from './filter.js';
