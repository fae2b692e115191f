/**
 * `npm run build`: makes `dist/`, the form in which Stile is published: bundled JavaScript for Node 24 with a manifest of
 * its own, since Node strips types nowhere under node_modules. `npm run build -- <folder>` builds elsewhere.
 *
 * Everything that can be bundled is, split where the sources load lazily. A worker thread is found by its address, which
 * no bundler follows by itself: each `new URL('./name.ts', import.meta.url)` of the sources becomes an entry of its own.
 * Never: a package that holds native code in the bundle; a bundled package whose licence does not come along.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const target = resolve(process.argv[2] ?? join(root, 'dist'))
/** Holds native code, so it is installed beside the bundle. */
const external = ['@node-rs/argon2']
/** Packages that bundled ones look for and do without. */
const absent = ['pg-native']
const threadAddress = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g

/** `src/directory/passwords/worker.ts` -> `directory-passwords-worker`. */
function entryName(path: string): string {
  return relative(join(root, 'src'), path).replace(/\.ts$/, '').replaceAll('/', '-')
}

const threads = globSync('src/**/*.ts', { cwd: root }).flatMap((path) => {
  const file = join(root, path)
  return [...readFileSync(file, 'utf8').matchAll(threadAddress)].map(([, name]) => join(dirname(file), `${name}.ts`))
})

/** Points addresses of threads at their entries, which lie beside every other file of the bundle. */
const threadEntries: Plugin = {
  name: 'thread-entries',
  setup(pipeline) {
    pipeline.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const address = (_: string, name: string) =>
        `new URL('./${entryName(join(dirname(path), `${name}.ts`))}.js', import.meta.url)`
      return { contents: source.replaceAll(threadAddress, address), loader: 'ts' }
    })
  },
}

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries([join(root, 'src/main.ts'), ...threads].map((path) => [entryName(path), path])),
  outdir: target,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  mainFields: ['module', 'main'],
  external: [...external, ...absent],
  plugins: [threadEntries],
  metafile: true,
  // Bundled CommonJS asks for Node's own modules by `require`.
  banner: { js: `import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);` },
  logLevel: 'warning',
})

/** What the build reads of a package.json. */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly description: string
  readonly engines: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}
const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** The folders of the packages that were bundled. */
const bundled = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
)
const licences = [...bundled].toSorted().map((folder) => {
  const { name, version, license } = manifestIn(join(root, folder))
  const [file] = globSync('{LICENSE,LICENCE,License,license}*', { cwd: join(root, folder) })
  const text = file === undefined ? '' : `\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}`
  return `${name} ${version}: ${license}${text}\n`
})
writeFileSync(join(target, 'THIRD-PARTY-LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`))
for (const file of ['LICENSE', 'README.md']) writeFileSync(join(target, file), readFileSync(join(root, file)))

const { name, version, license, description, engines, dependencies } = manifestIn(root)
const manifest = {
  name,
  version,
  description,
  license,
  type: 'module',
  bin: { stile: 'main.js' },
  engines,
  dependencies: Object.fromEntries(external.map((wanted) => [wanted, dependencies[wanted]])),
}
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
const main = join(target, 'main.js')
writeFileSync(main, `#!/usr/bin/env node\n${readFileSync(main, 'utf8')}`, { mode: 0o755 })
