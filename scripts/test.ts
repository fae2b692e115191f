/**
 * Runs the test suite with Node's own test runner. A few processes share the files between them (scripts/test-process.ts),
 * since loading the product and warming it up costs more than most files do; files that need a process of their own are
 * listed below. There are three processes more than there are cores: many tests wait for a browser or a clock. A run of
 * many files makes once what they share (scripts/test-shared.ts). What the runner itself costs is lessened by
 * scripts/test-context.ts.
 * `npm test` runs everything; `npm test -- test/flow` one folder or file; flags go to `node --test` as they are, those
 * with a value written `--name=value`. The last lines are the runner's summary and the exit code is its own.
 * Never: a run that found no test file and yet succeeds.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { shareAll, shareKey } from './test-shared.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** A test that takes longer fails, with its name. */
const testTimeoutMs = 300_000
/** A file that takes longer is ended: its own timeouts cannot fire while an endless loop holds its event loop. */
const fileTimeoutMs = 600_000

/** Paths of files, and beginnings of paths, whose tests must have a process to themselves. */
const apart = [
  // They measure the memory or the event loop of their process.
  'test/http/fuzz.test.ts',
  'test/http/limits.test.ts',
  'test/directory/passwords/pool.test.ts',
  // It changes what the process trusts and its environment.
  'test/external/egress.test.ts',
  // Crashes, and what the engines promise: nothing that ran before should have a part in how they end.
  'test/storage/',
]

/** Beginnings of paths of files that drive a browser, most of whose time is spent in its processes. */
const browsing = ['test/browser/', 'test/pages/browser.test.ts', 'test/clients/oidc-client-ts.test.ts']

/** Spreads the files that drive a browser over the others, so that few of them run at once and none at the end. */
function spread(paths: readonly string[]): readonly string[] {
  const [browsers, others] = [true, false].map((wanted) =>
    paths.filter((path) => browsing.some((beginning) => path.startsWith(beginning)) === wanted),
  ) as [string[], string[]]
  const gap = Math.max(1, Math.floor((0.6 * others.length) / Math.max(1, browsers.length)))
  return others.flatMap((path, at) => (at % gap === 0 ? [...browsers.splice(0, 1), path] : [path])).concat(browsers)
}

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

const processes = availableParallelism() + 3

const runDirectory = mkdtempSync(join(tmpdir(), 'stile-test-run-'))
const compileCache = join(root, 'node_modules', '.cache', 'compile')

/** The modules to run: files that have a process each, and a module for each process that takes one file after the other. */
function entries(): readonly string[] {
  const together = spread(files.filter((file) => !apart.some((path) => file.startsWith(path))))
  if (together.length <= processes) return files
  const claims = join(runDirectory, 'claims')
  mkdirSync(claims)
  const { href } = pathToFileURL(join(root, 'scripts', 'test-process.ts'))
  const text = `import { runTestFiles } from '${href}'\nawait runTestFiles(${JSON.stringify(together)}, ${JSON.stringify(claims)})\n`
  const queues = Array.from({ length: processes }, (_, index) => {
    const path = join(runDirectory, `test-process-${index + 1}.mjs`)
    writeFileSync(path, text)
    return path
  })
  return [...files.filter((file) => !together.includes(file)), ...queues]
}

enableCompileCache(compileCache)
const shared = files.length > processes ? await shareAll(runDirectory) : await shareKey()
// In a fresh clone nobody has compiled anything yet: what was loaded just now the processes need not compile, each by itself.
flushCompileCache()

const runner = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${processes}`,
    `--test-timeout=${testTimeoutMs}`,
    '--test-reporter=spec',
    `--import=${pathToFileURL(join(root, 'scripts', 'test-context.ts')).href}`,
    ...flags,
    ...entries(),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // A process strips the types of what it imports; the cache lets all but the first skip that.
      NODE_COMPILE_CACHE: compileCache,
      ...shared.environment,
    },
  },
)

/** The command line of a process, which a process that takes one file after the other sets; empty when it has ended. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Ends test files that hang; on Linux, where the kernel tells which processes the runner has started. */
function endHangingFiles(runnerPid: number): void {
  let firstSeen = new Map<string, number>()
  const children = `/proc/${runnerPid}/task/${runnerPid}/children`
  const look = (): void => {
    const now = performance.now()
    const pids = existsSync(children) ? readFileSync(children, 'utf8').trim().split(' ').filter(Boolean) : []
    const seen = new Map<string, number>()
    for (const pid of pids) {
      const command = commandLine(pid)
      const key = `${pid} ${command}`
      const since = firstSeen.get(key) ?? now
      seen.set(key, since)
      if (now - since < fileTimeoutMs) continue
      const file = command.split('\0').find((arg) => arg.endsWith('.test.ts'))
      console.error(`${file ?? `Process ${pid}`} ran for more than ${fileTimeoutMs / 1000} s and is ended.`)
      process.kill(Number(pid), 'SIGKILL')
    }
    firstSeen = seen
  }
  setInterval(look, 2_000).unref()
}

if (runner.pid) endHangingFiles(runner.pid)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runner.kill(signal))
const [code, signal] = (await once(runner, 'exit')) as [number | null, NodeJS.Signals | null]
await shared.stop()
rmSync(runDirectory, { recursive: true, force: true })
process.exit(signal ? 1 : (code ?? 1))
