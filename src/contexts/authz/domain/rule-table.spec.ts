import * as fc from 'fast-check';
import { maskOfBits } from '../../../kernel/actions.js';
import { parsePattern, reaches, type ResourcePattern } from './resource-pattern.js';
import type { Rule } from './rule.js';
import { Question, RuleTable } from './rule-table.js';

/** As many as there may be once. */
const ACTIONS = 150;
const PATTERNS = ['tenants/acme', 'tenants/acme/namespaces/*/topics/orders', 'tenants/*', 'system'];
const PATHS = ['', 'tenants/acme', 'tenants/acme/namespaces/shop/topics/orders', 'tenants/other/namespaces/shop'];

class PlantedTable extends RuleTable {
  asked(bit: number, path: string): { allowed: boolean; denied: boolean } {
    const question = new Question(bit, path);
    if (this.names(bit)) this.evaluate(question);
    return { allowed: question.allowed && !question.denied, denied: question.denied };
  }
}

const given = fc.record({
  effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
  bits: fc.uniqueArray(fc.nat(ACTIONS - 1), { minLength: 1, maxLength: 40 }),
  resource: fc.constantFrom(...PATTERNS).map(parsePattern),
});
const ruleOf = ({
  effect,
  bits,
  resource,
}: {
  effect: Rule['effect'];
  bits: number[];
  resource: ResourcePattern;
}): Rule => ({
  via: { kind: 'grant', id: 'grt_1' },
  effect,
  actions: maskOfBits(bits),
  resource,
});

it('decisions take more than 64 actions: what the rules say one by one is what the table says of each', () => {
  fc.assert(
    fc.property(
      fc.array(given, { maxLength: 6 }),
      fc.nat(ACTIONS - 1),
      fc.constantFrom(...PATHS),
      (rules, bit, path) => {
        const segments = path === '' ? [] : path.split('/');
        const about = rules.filter(({ bits, resource }) => bits.includes(bit) && reaches(resource, segments));
        const denied = about.some(({ effect }) => effect === 'deny');
        const allowed = !denied && about.some(({ effect }) => effect === 'allow');
        expect(new PlantedTable(rules.map(ruleOf)).asked(bit, path)).toEqual({ allowed, denied });
      },
    ),
  );
});
