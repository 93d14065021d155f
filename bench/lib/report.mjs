import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const RESULTS = join(import.meta.dirname, '../results');

const shown = (value) => {
  if (!Number.isFinite(value)) return 'n/a';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
};

function targetOf({ atLeast, atMost, goal }) {
  const target = atLeast === undefined ? (atMost === undefined ? '' : `≤ ${shown(atMost)}`) : `≥ ${shown(atLeast)}`;
  return goal === undefined ? target : `${target}${target && ', '}goal ${shown(goal)}`;
}

/** Above 1 the target is met, in either direction. */
export function ratioOf({ value, atLeast, atMost }) {
  if (atLeast !== undefined) return value / atLeast;
  return atMost === undefined ? undefined : atMost / value;
}

function verdictOf(figure) {
  const ratio = ratioOf(figure);
  if (ratio === undefined) return '';
  return ratio === Infinity ? 'met' : `${ratio >= 1 ? 'met' : 'MISSED'} × ${shown(ratio)}`;
}

/** The figures as a Markdown table that is readable as plain text, too. */
function table(results) {
  const head = ['bench', 'figure', 'value', 'target', 'value against target'];
  const rows = results.flatMap(({ bench, figures, error }) =>
    error
      ? [[bench, `failed: ${error.split('\n')[0]}`, '', '', '']]
      : figures.map((figure, i) => [
          i === 0 ? bench : '',
          figure.name.replaceAll('|', '\\|'),
          `${shown(figure.value)} ${figure.unit}`.trim(),
          targetOf(figure),
          verdictOf(figure),
        ]),
  );
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function render(machine, results) {
  const { commit, changed, cpu, cores, memoryGiB, system, node, postgres, settings, loadBefore, at } = machine;
  return [
    '# Benchmarks',
    '',
    `Measured ${at} at commit ${commit}${changed ? ' with local changes' : ''}, by \`npm run bench\`: client, server, PostgreSQL and receiver share`,
    'one machine. Medians of rounds; what is compared was measured in turns in the same run. "met" and "MISSED" stand before the ratio of value and',
    'target, turned so that more than 1 is better than asked for.',
    '',
    `- ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}; load before: ${shown(loadBefore)}`,
    `- Node ${node}, PostgreSQL ${postgres} (${Object.entries(settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')})`,
    '',
    table(results),
    '',
  ].join('\n');
}

/** One document per run, and the table of the last one. */
export function save(machine, results) {
  mkdirSync(RESULTS, { recursive: true });
  const name = `${machine.at.slice(0, 16).replace(':', '')}-${machine.commit}`;
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
  const text = render(machine, results);
  writeFileSync(join(RESULTS, 'latest.md'), text);
  return text;
}
