/**
 * What a run of the test suite makes once for all its processes, and how they are told: variables of the environment. A
 * run of a few files does without the server and the template: who needs one makes it.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { realWorld } from '../src/world.ts'
import { sharedRsaKeyVariable } from '../test/harness/rsa-key.ts'
import {
  forTests,
  migratedDatabase,
  type PostgresCluster,
  sharedClusterVariable,
  startOwnPostgres,
} from '../test/storage/postgres-cluster.ts'

/** What the processes of a run share. */
export interface Shared {
  /** Variables for their environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Ends what runs. */
  stop(): Promise<void>
}

/** One RSA key: making one costs more than all else that starts a node. */
export async function shareKey(): Promise<Shared> {
  const { privateKey } = await realWorld.rsaKeyPair(2048)
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return { environment: { [sharedRsaKeyVariable]: pem }, stop: () => Promise.resolve() }
}

/**
 * Also a PostgreSQL server, where there is one on this machine, with a database that has all tables, and the demo environment
 * that nodes begin with.
 * @param directory where files may be kept until the run ends
 */
export async function shareAll(directory: string): Promise<Shared> {
  const [starting, making] = await Promise.allSettled([startOwnPostgres(forTests), shareKey()])
  if (starting.status === 'rejected') throw starting.reason
  const cluster = 'url' in starting.value ? starting.value : undefined
  const stop = async () => cluster?.stop()
  try {
    if (making.status === 'rejected') throw making.reason
    const key = making.value
    // The template's nodes are of this process and take the same key.
    Object.assign(process.env, key.environment)
    // Loads the whole product, which a run of a few files need not do here.
    const { makeDemoTemplate, sharedTemplateVariable } = await import('../test/harness/demo-template.ts')
    if (cluster) await makeMigratedDatabase(cluster)
    const template = join(directory, 'demo')
    await mkdir(template)
    await makeDemoTemplate(template, cluster && { ...cluster, migrated: migratedDatabase })
    const environment = {
      ...key.environment,
      ...(cluster ? { [sharedClusterVariable]: cluster.url } : {}),
      [sharedTemplateVariable]: template,
    }
    return { environment, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function makeMigratedDatabase(cluster: PostgresCluster): Promise<void> {
  const { openPostgres } = await import('../src/storage/postgres/engine.ts')
  const { migrate } = await import('../src/storage/migrate.ts')
  const storage = await openPostgres({ connectionString: await cluster.createDatabase({ name: migratedDatabase }) })
  await migrate(storage, realWorld)
  await storage.close()
}
