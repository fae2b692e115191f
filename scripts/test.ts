/**
 * Runs the test suite with Node's own test runner, one process per file, one more at once than there are cores: many wait
 * for a browser or a clock. A run of everything starts one PostgreSQL for all files, and nodes share one RSA key.
 * `npm test` runs everything; `npm test -- test/flow` one folder or file; flags go to `node --test` as they are, those
 * with a value written `--name=value`. The last lines are the runner's summary and the exit code is its own.
 * Never: a run that found no test file and yet succeeds.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { realWorld } from '../src/world.ts'
import { sharedRsaKeyVariable } from '../test/harness/rsa-key.ts'
import { sharedClusterVariable, startOwnPostgres } from '../test/storage/postgres-cluster.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** A test that takes longer fails, with its name. */
const testTimeoutMs = 300_000
/** A file that takes longer is ended: its own timeouts cannot fire while an endless loop holds its event loop. */
const fileTimeoutMs = 600_000

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

// Not for a few files, which start what they need.
const cluster = paths.length === 0 ? await startOwnPostgres() : undefined
const shared = cluster && 'url' in cluster ? cluster : undefined

const { privateKey } = await realWorld.rsaKeyPair(2048)

const runner = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${testTimeoutMs}`,
    '--test-reporter=spec',
    ...flags,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // Each file is a process that strips the types of what it imports; the cache lets all but the first skip that.
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
      ...(shared ? { [sharedClusterVariable]: shared.url } : {}),
      [sharedRsaKeyVariable]: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    },
  },
)
/** Ends test files that hang; on Linux, where the kernel tells which processes the runner has started. */
function endHangingFiles(runnerPid: number): void {
  const firstSeen = new Map<string, number>()
  const children = `/proc/${runnerPid}/task/${runnerPid}/children`
  const look = (): void => {
    const now = performance.now()
    const pids = existsSync(children) ? readFileSync(children, 'utf8').trim().split(' ').filter(Boolean) : []
    for (const pid of firstSeen.keys()) if (!pids.includes(pid)) firstSeen.delete(pid)
    for (const pid of pids) {
      const since = firstSeen.get(pid) ?? now
      firstSeen.set(pid, since)
      if (now - since < fileTimeoutMs) continue
      const file = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .find((arg) => arg.endsWith('.test.ts'))
      console.error(`${file ?? `Process ${pid}`} ran for more than ${fileTimeoutMs / 1000} s and is ended.`)
      process.kill(Number(pid), 'SIGKILL')
    }
  }
  setInterval(look, 2_000).unref()
}

if (runner.pid) endHangingFiles(runner.pid)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => runner.kill(signal))
const [code, signal] = (await once(runner, 'exit')) as [number | null, NodeJS.Signals | null]
await shared?.stop()
process.exit(signal ? 1 : (code ?? 1))
