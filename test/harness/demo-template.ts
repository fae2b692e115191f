/**
 * The demo environment that nodes for tests begin with: made once, through the API as `dev` makes it, and copied for each
 * node as a data directory or as a database. What follows the port is brought up to date by the node's own start, as at
 * any second start on the same data.
 *
 * So all nodes of a run have the same environment, users and secrets; a test of two environments makes the second.
 */
import { rmSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readConfig } from '../../src/config.ts'
import type { Quickstart } from '../../src/dev/quickstart.ts'
import { startDevServer } from '../../src/cli/dev-server.ts'
import { rotateKeys } from '../../src/jobs/rotate-keys.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { realWorld } from '../../src/world.ts'
import type { PostgresCluster } from '../storage/postgres-cluster.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'
import { sharedHashingPool } from './hashing-pool.ts'
import { sharedRsaKeyPair } from './rsa-key.ts'

/** Where a run of the suite keeps the template that its processes share (scripts/test.ts): a directory. */
export const sharedTemplateVariable = 'STILE_TEST_DEMO'

/** What is told of a template. */
interface DemoTemplate {
  readonly masterKey: string
  /** Of the data directory. */
  readonly embedded: Quickstart
  /** Of the database; absent where there is none to copy. */
  readonly postgres: Quickstart | undefined
}

/** The settings of every node for tests. */
export const testSettings = {
  STILE_LOG_LEVEL: 'error',
  STILE_DEV_SIGNING_ALGORITHM: 'ES256',
  STILE_HOST: '127.0.0.1',
} as const

const databaseName = 'stile_demo'
const dataOf = (template: string): string => join(template, 'data')
const factsOf = (template: string): string => join(template, 'facts.json')

/**
 * Makes a template.
 * @param directory an empty one, for the template
 * @param cluster where a database to copy is made as well
 */
export async function makeDemoTemplate(directory: string, cluster?: PostgresCluster): Promise<void> {
  const masterKey = realWorld.bytes(32).toString('base64url')
  // A minute ago: no test's clock stands before what its node begins with.
  const world = { ...realWorld, now: () => realWorld.now() - 60_000, rsaKeyPair: sharedRsaKeyPair }
  const make = async (settings: Readonly<Record<string, string>>, dataDirectory: string): Promise<Quickstart> => {
    const config = readConfig('dev', { ...testSettings, ...settings }, { port: '0', dataDirectory })
    const { node, quickstart } = await startDevServer(config, world, parseMasterKeys(masterKey), undefined, {
      passwords: sharedHashingPool(),
    })
    try {
      // Or each node would make the next key of the environment as it starts.
      await rotateKeys(node.kernel, new AbortController().signal)
      return quickstart
    } finally {
      await node.close()
    }
  }
  await mkdir(dataOf(directory))
  const [embedded, postgres] = await Promise.all([
    make({}, dataOf(directory)),
    cluster
      ?.createDatabase({ name: databaseName, copyOf: cluster.migrated })
      .then((url) => make({ DATABASE_URL: url }, directory)),
  ])
  await writeFile(factsOf(directory), JSON.stringify({ masterKey, embedded, postgres } satisfies DemoTemplate))
}

let own: Promise<string> | undefined

/** The template of the run; one of this process where the run has none. */
function demoTemplate(): Promise<string> {
  const shared = process.env[sharedTemplateVariable]
  if (shared !== undefined) return Promise.resolve(shared)
  own ??= (async () => {
    const { path } = await temporaryDirectory()
    process.on('exit', () => rmSync(path, { recursive: true, force: true }))
    await makeDemoTemplate(path)
    return path
  })()
  return own
}

/** What a node for tests starts with. */
export interface Beginnings {
  readonly masterKey: string
  /** What `ensureDemoEnvironment` is told of an earlier start. */
  readonly previous: Quickstart | undefined
}

/**
 * Copies the template into the data directory of a node on the embedded engine; a node on a database brings its own copy
 * along, or an empty database.
 */
export async function beginWithDemo(dataDirectory: string, databaseUrl: string | undefined): Promise<Beginnings> {
  const template = await demoTemplate()
  const { masterKey, embedded, postgres } = JSON.parse(await readFile(factsOf(template), 'utf8')) as DemoTemplate
  if (databaseUrl !== undefined) return { masterKey, previous: postgres }
  await cp(dataOf(template), dataDirectory, { recursive: true })
  return { masterKey, previous: embedded }
}

/**
 * Makes a database for a node: with the demo environment where the run has one to copy, and otherwise empty. Its sessions wait
 * for a lock nearly as long as a statement may take: with the second that they wait in production, a race of fifty ends in
 * refusals on a machine that is busy with the rest of the tests.
 */
export async function createDemoDatabase(cluster: PostgresCluster): Promise<string> {
  const template = process.env[sharedTemplateVariable]
  const facts =
    template === undefined ? undefined : (JSON.parse(await readFile(factsOf(template), 'utf8')) as DemoTemplate)
  const url = await cluster.createDatabase(facts?.postgres ? { copyOf: databaseName } : {})
  return `${url}?lock_timeout=4500`
}
