import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

let registered = false;

/**
 * Imports a TypeScript module of the product into plain Node. Jest loads its global set-up outside its own module system, as CommonJS,
 * where neither `import.meta` nor an import that ends in `.js` and means `.ts` works; Node itself strips types, but not parameter
 * properties. The hooks stay, because such a module may import another one later.
 */
export function importTypeScript(url) {
  if (!registered) registerHooks({ resolve, load });
  registered = true;
  return import(url);
}

function resolve(specifier, context, next) {
  const own = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(own ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    sourceMaps: 'inline',
    module: { type: 'es6' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
