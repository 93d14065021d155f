import type { CelEnv } from '@bufbuild/cel';
import { ExpressionError } from './cel-errors.js';
import { patternProblem } from './patterns.js';
import type { Expr, Parsed } from './source-guard.js';

const nodesMax = 128;
const depthMax = 24;

/** The name of a CEL type; `dyn` is a type that is known only with the event. */
export type TypeName = string;

export interface Checked {
  readonly type: TypeName;
  /** The variables that the expression reads. */
  readonly mentions: ReadonlySet<string>;
  /** It contains a macro or a pattern: its cost may grow faster than the event. */
  readonly costly: boolean;
}

type Kind<C extends Expr['exprKind']['case']> = Extract<Expr['exprKind'], { case: C }>['value'];
type Call = Kind<'callExpr'>;
type Comprehension = Kind<'comprehensionExpr'>;

const typeNames = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type']);
const numeric = new Set(['int', 'uint', 'double']);
const macros = new Set(['has', 'all', 'exists', 'exists_one', 'existsOne', 'map', 'filter']);
const operators: Record<string, string> = { '!_': '!', '-_': '-', '@in': 'in', '_[_]': '[]' };

/**
 * Finds errors that can be known before any event: names that do not exist, arguments that no overload of a function accepts, macros within
 * macros, computed patterns, and trees beyond the limits. (The library's own checker knows constants and names, but no calls.) Variables
 * have given types; what comes out of an event is `dyn` and fits everywhere.
 */
export function checkExpression(parsed: Parsed, env: CelEnv, variables: Readonly<Record<string, TypeName>>): Checked {
  const check = new Check(parsed, env, variables);
  return { type: check.typeOf(parsed.expr), mentions: check.mentions, costly: check.costly };
}

class Check {
  readonly mentions = new Set<string>();
  costly = false;
  #nodes = 0;
  #depth = 0;
  /** Variables that the enclosing macro declares. */
  #locals: Readonly<Record<string, TypeName>> | null = null;

  constructor(
    private readonly parsed: Parsed,
    private readonly env: CelEnv,
    private readonly variables: Readonly<Record<string, TypeName>>,
  ) {}

  typeOf(expr: Expr | undefined): TypeName {
    if (!expr) throw new ExpressionError('the expression is not complete', 0);
    if (++this.#nodes > nodesMax) this.#fail(expr, `the expression has more than ${nodesMax} parts`);
    if (++this.#depth > depthMax) this.#fail(expr, `the expression is nested more than ${depthMax} levels deep`);
    const type = this.#typeOf(expr);
    this.#depth--;
    return type;
  }

  #typeOf(expr: Expr): TypeName {
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return this.#constant(expr, exprKind.value);
      case 'identExpr':
        return this.#variable(expr, exprKind.value.name);
      case 'selectExpr':
        return this.#member(expr, exprKind.value);
      case 'callExpr':
        return this.#call(expr, exprKind.value);
      case 'listExpr':
        for (const element of exprKind.value.elements) this.typeOf(element);
        return 'list';
      case 'structExpr':
        return this.#map(expr, exprKind.value);
      case 'comprehensionExpr':
        return this.#macro(expr, exprKind.value);
      default:
        return this.#fail(expr, 'this is not allowed here');
    }
  }

  #constant(expr: Expr, { constantKind }: Kind<'constExpr'>): TypeName {
    const { case: kind, value } = constantKind;
    if (kind === 'int64Value' && BigInt.asIntN(64, value) !== value) this.#fail(expr, 'an int has 64 bits');
    if (kind === 'uint64Value' && BigInt.asUintN(64, value) !== value) this.#fail(expr, 'a uint has 64 bits');
    return constantTypes[kind as string] ?? 'dyn';
  }

  #variable(expr: Expr, name: string): TypeName {
    if (this.#locals && Object.hasOwn(this.#locals, name)) return this.#locals[name] as TypeName;
    if (Object.hasOwn(this.variables, name)) {
      this.mentions.add(name);
      return this.variables[name] as TypeName;
    }
    if (typeNames.has(name)) return 'type';
    return this.#fail(expr, `there is no variable "${name}"; there are ${Object.keys(this.variables).join(', ')}`);
  }

  #member(expr: Expr, { operand, field, testOnly }: Kind<'selectExpr'>): TypeName {
    const type = this.typeOf(operand);
    if (type !== 'dyn' && type !== 'map') this.#fail(expr, `${type} has no member "${field}"`);
    return testOnly ? 'bool' : 'dyn';
  }

  #map(expr: Expr, { messageName, entries }: Kind<'structExpr'>): TypeName {
    if (messageName !== '') this.#fail(expr, `there is no type "${messageName}"`);
    for (const { keyKind, value } of entries) {
      if (keyKind.case === 'mapKey') this.typeOf(keyKind.value);
      this.typeOf(value);
    }
    return 'map';
  }

  #call(expr: Expr, call: Call): TypeName {
    if (macros.has(call.function)) this.#fail(expr, `the macro "${call.function}" is not called like this`);
    const args = call.args.map((arg) => this.typeOf(arg));
    const [first = 'dyn', second = 'dyn', third = 'dyn'] = args;
    switch (call.function) {
      case '_&&_':
      case '_||_':
      case '@not_strictly_false':
        call.args.forEach((arg, i) => this.#expect(arg, args[i] as TypeName, 'bool'));
        return 'bool';
      case '_?_:_':
        this.#expect(call.args[0] as Expr, first, 'bool');
        return second === third ? second : 'dyn';
      case '_[_]':
        if (first !== 'dyn' && first !== 'list' && first !== 'map') this.#fail(expr, `${first} has no elements`);
        return 'dyn';
      case '_==_':
      case '_!=_':
        if (!comparable(first, second)) this.#fail(expr, `${first} never equals ${second}`);
        break;
      case 'matches':
        this.#pattern(expr, call.args[0]);
        break;
      default:
    }
    return this.#overload(expr, call, args);
  }

  #overload(expr: Expr, call: Call, args: readonly TypeName[]): TypeName {
    const target = call.target && this.typeOf(call.target);
    const overloads = [...(this.env.funcs.find(call.function) ?? [])];
    const fitting = overloads.filter(
      (overload) =>
        fits(overload.target?.name, target) &&
        overload.arguments.length === args.length &&
        overload.arguments.every(({ name }, i) => fits(name, args[i])),
    );
    if (fitting.length === 0) this.#fail(expr, noSuchCall(call.function, overloads.length > 0, target, args));
    const results = new Set(fitting.map(({ result }) => result.name));
    return results.size === 1 ? (fitting[0]?.result.name as TypeName) : 'dyn';
  }

  #pattern(expr: Expr, pattern: Expr | undefined): void {
    this.costly = true;
    const literal = pattern?.exprKind.case === 'constExpr' ? pattern.exprKind.value.constantKind : undefined;
    if (literal?.case !== 'stringValue') this.#fail(expr, 'the pattern of "matches" must be a text, not computed');
    const fault = patternProblem(literal.value);
    if (fault) this.#fail(pattern as Expr, fault);
  }

  /** `all` and `exists` collect a bool, `map` and `filter` a list; `exists_one` counts, and returns whether the count is one. */
  #macro(expr: Expr, { iterRange, iterVar, accuVar, accuInit, loopCondition, loopStep }: Comprehension): TypeName {
    this.costly = true;
    if (this.#locals) this.#fail(expr, 'a macro may not stand within the body of another');
    const range = this.typeOf(iterRange);
    if (range !== 'dyn' && range !== 'list' && range !== 'map') this.#fail(expr, `${range} has no elements`);
    const gathered = this.typeOf(accuInit);
    this.#locals = { [accuVar]: gathered, [iterVar]: 'dyn' };
    this.typeOf(loopCondition);
    this.typeOf(loopStep);
    this.#locals = null;
    return gathered === 'list' ? 'list' : 'bool';
  }

  #expect(expr: Expr, type: TypeName, expected: TypeName): void {
    if (!fits(expected, type)) this.#fail(expr, `this must be ${expected}, and is ${type}`);
  }

  #fail(expr: Expr, detail: string): never {
    throw new ExpressionError(detail, this.parsed.sourceInfo?.positions[expr.id.toString()] ?? 0);
  }
}

const constantTypes: Record<string, TypeName> = {
  boolValue: 'bool',
  bytesValue: 'bytes',
  doubleValue: 'double',
  int64Value: 'int',
  nullValue: 'null_type',
  stringValue: 'string',
  uint64Value: 'uint',
};

function fits(expected: TypeName | undefined, given: TypeName | undefined): boolean {
  return (
    expected === given || (expected !== undefined && given === 'dyn') || (expected === 'dyn' && given !== undefined)
  );
}

function comparable(l: TypeName, r: TypeName): boolean {
  if (l === r || [l, r].includes('dyn') || [l, r].includes('null_type')) return true;
  return numeric.has(l) && numeric.has(r);
}

function noSuchCall(name: string, known: boolean, target: TypeName | undefined, args: readonly TypeName[]): string {
  const plain = operators[name] ?? name.replaceAll('_', '');
  if (!/^\w+$/.test(name)) return `${plain} does not apply to ${args.join(' and ')}`;
  if (!known) return `there is no function "${name}"`;
  return `"${name}" does not apply to ${target ? `${target}.` : ''}(${args.join(', ')})`;
}
