import { type CelInput, type CelResult, celEnv, plan } from '@bufbuild/cel';
import { type Checked, checkExpression, type TypeName } from './check-expression.js';
import { filterFunctions, internal } from './functions.js';
import { type Expr, parseSource } from './source-guard.js';
import { withinBudget } from './work-budget.js';

/** Units of work charged for each iteration of a macro and each node of its body: a missing member costs that much. */
const unitsPerNode = 40;

const env = celEnv({ funcs: filterFunctions });

/** A checked CEL expression that can be evaluated over any number of events. */
export interface Expression extends Checked {
  /** The value, or CEL's error; throws `TooCostlyError` when it needs more work than one evaluation may do. */
  evaluate(variables: object): CelResult;
}

/** Throws `ExpressionError` when the source is not valid, or beyond the limits. */
export function compileExpression(source: string, variables: Readonly<Record<string, TypeName>>): Expression {
  const parsed = parseSource(source);
  const checked = checkExpression(parsed, env, variables);
  prepare(parsed.expr);
  const run = plan(env, parsed.expr) as (variables: Record<string, CelInput>) => CelResult;
  return { ...checked, evaluate: (values) => withinBudget(() => run(values as Record<string, CelInput>)) };
}

/**
 * Changes a tree so that macros can be bounded: their loop is charged for each iteration, and the lists that they build grow in place (the
 * library's grow by one layer for each element: 20,000 elements overflow the stack). `has()` calls our function, since the library treats a
 * member whose value is null as missing. Returns the number of nodes.
 */
function prepare(expr: Expr | undefined): number {
  if (!expr) return 0;
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      if (testOnly && operand)
        become(expr, internal.has, [operand, constant(expr, { case: 'stringValue', value: field })]);
      return 1 + prepare(operand);
    }
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value;
      const [list, added] = args;
      if (name === '_+_' && list && isGathered(list) && added?.exprKind.case === 'listExpr') {
        become(expr, internal.append, [list, added.exprKind.value.elements[0] as Expr]);
      }
      return 1 + prepare(target) + prepareAll(args);
    }
    case 'listExpr':
      return 1 + prepareAll(exprKind.value.elements);
    case 'structExpr':
      return exprKind.value.entries.reduce(
        (sum, { keyKind, value }) => sum + (keyKind.case === 'mapKey' ? prepare(keyKind.value) : 0) + prepare(value),
        1,
      );
    case 'comprehensionExpr': {
      const loop = exprKind.value;
      const nodes = prepare(loop.loopStep) + prepare(loop.loopCondition);
      const condition = loop.loopCondition as Expr;
      const units = constant(condition, { case: 'int64Value', value: BigInt(nodes * unitsPerNode) });
      loop.loopCondition = call(condition, '_&&_', [call(condition, internal.tick, [units]), condition]);
      return 1 + nodes + prepare(loop.iterRange);
    }
    default:
      return 1;
  }
}

function prepareAll(exprs: readonly Expr[]): number {
  return exprs.reduce((sum, expr) => sum + prepare(expr), 0);
}

/** `@result` is the accumulator of a macro; no source can spell it. */
function isGathered(expr: Expr): boolean {
  return expr.exprKind.case === 'identExpr' && expr.exprKind.value.name === '@result';
}

type Constant = Extract<Expr['exprKind'], { case: 'constExpr' }>['value']['constantKind'];

function constant(at: Expr, constantKind: Constant): Expr {
  return { ...at, exprKind: { case: 'constExpr', value: { $typeName: 'cel.expr.Constant', constantKind } } };
}

function call(at: Expr, name: string, args: Expr[]): Expr {
  return { ...at, exprKind: { case: 'callExpr', value: { $typeName: 'cel.expr.Expr.Call', function: name, args } } };
}

function become(expr: Expr, name: string, args: Expr[]): void {
  expr.exprKind = call(expr, name, args).exprKind;
}
