/** Runs a suite on the embedded engine and, where it is installed, on PostgreSQL: each test with an empty migrated store. */
import { after, suite, test } from 'node:test'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { type Environments, openEnvironments } from '../../src/environment/environments.ts'
import { openEgress } from '../../src/external/egress.ts'
import type { JobPorts } from '../../src/jobs/jobs.ts'
import { type MasterKeys, parseMasterKeys } from '../../src/keys/master-key.ts'
import { migrate } from '../../src/storage/migrate.ts'
import type { Storage } from '../../src/storage/port.ts'
import { openPostgres } from '../../src/storage/postgres/engine.ts'
import { openSqlite } from '../../src/storage/sqlite/engine.ts'
import { realWorld, type TestWorld, testWorld } from '../../src/world.ts'
import { sharedRsaKeyPair } from '../harness/rsa-key.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'

/** What background work needs of a node, with a clock that is set by hand. */
export interface Ports {
  readonly storage: Storage
  readonly world: TestWorld
  readonly masterKeys: MasterKeys
  readonly log: Logger
  readonly environments: Environments
  readonly config: JobPorts['config']
  readonly egress: JobPorts['egress']
  readonly origins: JobPorts['origins']
}

/** A random master key. */
export function randomMasterKey(): string {
  return realWorld.bytes(32).toString('base64url')
}

/**
 * Declares the tests of `body` once for each engine.
 * @param body gets a function that opens an empty store, closed when the suite ends
 */
export function onEachEngine(name: string, body: (open: () => Promise<Ports>) => void): void {
  suite(`${name}, embedded engine`, () => {
    const opened: (() => Promise<void>)[] = []
    body(async () => {
      const directory = await temporaryDirectory()
      const ports = await portsOver(await openSqlite({ directory: join(directory.path, 'data') }))
      opened.push(async () => {
        await ports.storage.close()
        await directory.remove()
      })
      return ports
    })
    after(async () => {
      for (const close of opened) await close()
    })
  })

  suite(`${name}, PostgreSQL`, async () => {
    const cluster = await startPostgres()
    if ('missing' in cluster) {
      test('is installed', (context) => absent(context, cluster.missing))
      return
    }
    const opened: Storage[] = []
    body(async () => {
      const ports = await portsOver(
        await openPostgres({ connectionString: await cluster.createDatabase({ copyOf: cluster.migrated }) }),
      )
      opened.push(ports.storage)
      return ports
    })
    after(async () => {
      for (const storage of opened) await storage.close()
      await cluster.stop()
    })
  })
}

async function portsOver(storage: Storage): Promise<Ports> {
  const world = { ...testWorld(), rsaKeyPair: sharedRsaKeyPair }
  await migrate(storage, world)
  const masterKeys = parseMasterKeys(randomMasterKey())
  const log = pino({ level: 'silent' })
  const environments = openEnvironments({ storage, world, masterKeys, log })
  environments.close()
  const config = {
    mode: 'serve',
    smtp: undefined,
    twilio: { url: 'https://api.twilio.com', account: undefined },
    syniverseUrl: 'https://api.syniverse.com',
    pushUrls: { apns: 'https://api.push.apple.com', fcm: 'https://fcm.googleapis.com' },
    egressAllow: undefined,
  } as const
  const origins = { authUrl: 'https://auth.test', apiUrl: 'https://api.test' }
  return { storage, world, masterKeys, log, environments, config, egress: openEgress({ listed: undefined }), origins }
}
