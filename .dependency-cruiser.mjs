const context = '^src/contexts/([^/]+)';
/** Who may know whom, each only those before it. */
export const ORDER = ['tenancy', 'identity', 'authz', 'topics', 'consumers', 'delivery', 'audit', 'operations'];

const against = ORDER.slice(0, -1).map((name, i) => ({
  name: `${name}-knows-no-later-context`,
  comment: 'Contexts form one order; against it they reach each other by event.',
  severity: 'error',
  from: { path: `^src/contexts/${name}/` },
  to: { path: `^src/contexts/(${ORDER.slice(i + 1).join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'kernel-imports-nothing-of-ours',
      comment: 'The kernel is the pure shared language.',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(src/(?!kernel/)|node_modules/)' },
    },
    {
      name: 'platform-knows-no-context',
      comment: 'The platform is technology without a business word.',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/contexts/' },
    },
    {
      name: 'domain-is-pure',
      comment:
        'Rules know the kernel and themselves: no framework, no database, no clock. `net` is for judging addresses, `url` for names of hosts.',
      severity: 'error',
      from: { path: `${context}/domain/`, pathNot: '\\.spec\\.ts$' },
      to: { path: '.', pathNot: ['^src/kernel/', '^src/contexts/$1/domain/', '^(crypto|zlib|net|url)$'] },
    },
    {
      name: 'application-knows-no-adapter',
      comment: 'Use cases speak to ports; which adapter answers is the module’s business.',
      severity: 'error',
      from: { path: `${context}/application/` },
      to: {
        path: [
          '^src/contexts/$1/adapters/',
          '^src/contexts/[^/]+/[^/]+\\.module\\.ts$',
          '^node_modules/(pg|undici|fastify)/',
        ],
      },
    },
    {
      name: 'contexts-show-one-face',
      comment: 'What a context offers is in its index.ts; nothing else is importable.',
      severity: 'error',
      from: { path: `${context}/` },
      to: { path: '^src/contexts/([^/]+)/(?!index\\.ts$)', pathNot: '^src/contexts/$1/' },
    },
    {
      name: 'faces-show-no-dtos',
      comment: 'A DTO is how one context speaks HTTP. What two of them have in common is in platform/http.',
      severity: 'error',
      from: { path: `${context}/index\\.ts$` },
      to: { path: '\\.dto\\.ts$' },
    },
    {
      name: 'app-imports-faces',
      comment: 'The list of contexts is made of faces.',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: '^src/contexts/[^/]+/(?!index\\.ts$)' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle is two files that are one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nobody-imports-tests',
      comment: 'Tests are leaves.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '(^test/|\\.spec\\.ts$)' },
    },
    ...against,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'default'],
    },
  },
};
