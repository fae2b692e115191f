/**
 * A private PostgreSQL cluster for tests, made from Debian's binaries in a temporary directory and removed afterwards.
 * It never syncs, so it is quick and loses everything in a power cut.
 *
 * The databases sort by a language (ICU, English) where the build can, so that a test notices a column whose collation
 * was left to the database.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** What a database is like. */
export interface NewDatabase {
  /** Default: a name that no other has. */
  readonly name?: string
  /** The name of a database that nobody is connected to; default: it is empty. */
  readonly copyOf?: string | undefined
}

/** A cluster that is running. */
export interface PostgresCluster {
  /** The administrator's URL, of the database `postgres`. */
  readonly url: string
  /** The name of a database to copy that has the tables of this release and no rows, where the run of the suite made one. */
  readonly migrated: string | undefined
  /** Makes a database and returns its URL. */
  createDatabase(wanted?: NewDatabase): Promise<string>
  /** Ends the server and removes its files. */
  stop(): Promise<void>
}

/** There is no PostgreSQL on this machine; `missing` is the command that installs it. */
export interface PostgresMissing {
  readonly missing: string
}

/** Where the run of the whole suite says which cluster its files share (scripts/test.ts). */
export const sharedClusterVariable = 'STILE_TEST_POSTGRES'

/** What the run calls the database in its cluster that has all tables: making them takes longer than copying them. */
export const migratedDatabase = 'stile_migrated'

/** A cluster for one test file: its databases in the one that the run shares, or else a cluster of its own. */
export async function startPostgres(): Promise<PostgresCluster | PostgresMissing> {
  const url = process.env[sharedClusterVariable]
  if (url === undefined) return startOwnPostgres(forTests)
  const names: string[] = []
  return {
    url,
    migrated: migratedDatabase,
    async createDatabase(wanted = {}) {
      const name = await createDatabase(url, wanted)
      names.push(name)
      return url.replace(/postgres$/, name)
    },
    async stop() {
      for (const name of names) await administer(url, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/**
 * For tests of the product. By itself PostgreSQL undoes one of the units of a deadlock after a second, and the node runs
 * that again: nobody would see it but those who wait meanwhile. So it ends in a refusal (503), by the node's lock timeout.
 * The rest is what only a server needs that lives longer than a test run.
 */
export const forTests = {
  deadlock_timeout: '1min',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
}

/**
 * Starts a cluster, which nobody else has; takes about a second and a half.
 * @param more settings of the server, as `postgresql.conf` names them
 */
export async function startOwnPostgres(
  more: Readonly<Record<string, string>> = {},
): Promise<PostgresCluster | PostgresMissing> {
  const binaries = newestBinaries()
  if (binaries === undefined) return { missing: 'apt-get install -y postgresql' }
  const directory = await mkdtemp(
    join(process.platform === 'linux' && existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'stile-postgres-'),
  )
  const account = serverAccount()
  if (account) await chown(directory, account.uid, account.gid)
  const data = join(directory, 'data')
  const options = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8']
  const environment = { cwd: directory, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' }, ...account }
  const initdb = join(binaries, 'initdb')
  await run(initdb, [...options, '--locale-provider=icu', '--icu-locale=en'], environment).catch(() =>
    run(initdb, options, environment),
  )
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    max_connections: 200,
    ...more,
  }
  const server = spawn(
    join(binaries, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...environment, stdio: 'ignore' },
  )
  // A run whose tests were all filtered out never stops it: it must not keep that run waiting.
  server.unref()
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const watchdog = watch(server, directory)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const stop = async () => {
    server.ref()
    server.kill('SIGQUIT')
    await ended
    watchdog.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await untilReady(url, server)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    migrated: undefined,
    stop,
    createDatabase: async (wanted = {}) => url.replace(/postgres$/, await createDatabase(url, wanted)),
  }
}

/** @returns its name */
async function createDatabase(url: string, { name, copyOf }: NewDatabase): Promise<string> {
  const given = name ?? `test_${randomUUID().replaceAll('-', '')}`
  await administer(url, `CREATE DATABASE ${given}${copyOf === undefined ? '' : ` TEMPLATE ${copyOf}`}`)
  return given
}

/** Ends the server and removes its files when this process is gone, however it went: the pipe to the watchdog closes then. */
function watch(server: ChildProcess, directory: string): ChildProcess {
  const script = 'read -r _; kill -QUIT "$0"; sleep 1; rm -rf "$1"'
  const watchdog = spawn('sh', ['-c', script, String(server.pid), directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.unref()
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref()
  return watchdog
}

/** Runs one statement as the administrator, outside any store. */
export async function administer(url: string, text: string): Promise<readonly object[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<object>(text)).rows
  } finally {
    await client.end()
  }
}

function newestBinaries(): string | undefined {
  const root = '/usr/lib/postgresql'
  if (!existsSync(root)) return undefined
  const releases = readdirSync(root).filter((release) => existsSync(join(root, release, 'bin', 'initdb')))
  const newest = releases.toSorted((a, b) => Number(b) - Number(a))[0]
  return newest === undefined ? undefined : join(root, newest, 'bin')
}

/** PostgreSQL refuses to run as root; then it runs as the account that its package made. */
function serverAccount(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('postgres:'))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error('There is no account postgres to run the server as')
  return { uid: Number(uid), gid: Number(gid) }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    try {
      await administer(url, 'SELECT 1')
      return
    } catch (error) {
      if (server.exitCode !== null || performance.now() > deadline)
        throw new Error('PostgreSQL did not start', { cause: error })
    }
    await pause(25)
  }
}
