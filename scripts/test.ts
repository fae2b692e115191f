/**
 * Runs the test suite with Node's own test runner, one process per file, as many at once as there are cores.
 * `npm test` runs everything; `npm test -- test/flow` one folder or file; flags go to `node --test` as they are, those
 * with a value written `--name=value`. The last lines are the runner's summary and the exit code is its own.
 * Never: a run that found no test file and yet succeeds.
 */
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** A test that hangs ends the run with its name instead of blocking it for good. */
const testTimeoutMs = 300_000

/** The test files under `path` (a folder or one file), relative to the root and in a stable order. */
function testFilesUnder(path: string): readonly string[] {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return stat ? [path] : []
  return readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(path, name))
    .toSorted()
}

const args = process.argv.slice(2)
const flags = args.filter((arg) => arg.startsWith('-'))
const paths = args.filter((arg) => !arg.startsWith('-'))
const files = (paths.length > 0 ? paths : ['test']).flatMap(testFilesUnder)

if (files.length === 0) {
  console.error(`No test file (*.test.ts) found under ${paths.join(', ') || 'test'}.`)
  process.exit(1)
}

const runner = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${testTimeoutMs}`,
    '--test-reporter=spec',
    ...flags,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // Each file is a process that strips the types of what it imports; the cache lets all but the first skip that.
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile') },
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runner.kill(signal))
runner.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
