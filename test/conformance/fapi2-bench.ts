/**
 * What the modules of the FAPI 2.0 plans run on: one node for a plan, with its port for certificates and a clock that the
 * modules move; for each variant two clients, and a browser that is signed on.
 */
import { after, before, suite, test } from 'node:test'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { authority, certificate } from '../harness/client-certificates.ts'
import { type MutualTlsStile, startMutualTlsStile } from '../harness/mutual-tls.ts'
import { Browser } from '../harness/sign-on.ts'
import { clientKey } from '../oauth/assertions.ts'
import { authorizeBySignOnPage, codeRequest } from '../oauth/journeys.ts'
import { expectStatus, register } from '../oauth/registrations.ts'
import { FapiClient, type Variant } from './fapi-client.ts'

const root = await authority('Root')
const nameOf = (commonName: string) => [{ C: ['DE'] }, { O: ['Example'] }, { CN: [commonName] }]
const held = await certificate({ issuer: root, subject: nameOf('client') })
const heldByOther = await certificate({ issuer: root, subject: nameOf('other') })

/** What a module has. */
export interface Bench {
  readonly node: MutualTlsStile
  readonly world: TestWorld
  /** Signed on: a request is answered at once. */
  readonly browser: Browser
  readonly client: FapiClient
  /** A second client, whose redirect URI has a query of its own. */
  readonly other: FapiClient
  /** A client otherwise like the first. */
  readonly another: (more: object, algorithm?: string) => Promise<FapiClient>
}

/** Declares a module. @param applies which variants it is for */
export type Declare = (name: string, run: (bench: Bench) => Promise<void>, applies?: boolean) => void

/** The words by which a variant is told from others. */
export function wordsOf({ auth, constraint, signed }: Variant): string {
  return `${auth}, ${constraint}, ${signed ? 'signed' : 'plain'}`
}

/**
 * A plan: its modules, for every variant.
 * @param settings of the environment: profiles hold whatever they say
 * @param properties of the clients
 */
export function plan(
  name: string,
  settings: object,
  variants: readonly Variant[],
  modules: readonly ((declare: Declare, variant: Variant) => void)[],
  properties: object = {},
): void {
  suite(name, () => {
    const world = testWorld()
    let node: MutualTlsStile
    let browser: Browser
    before(async () => {
      node = await startMutualTlsStile(root, { world })
      expectStatus(await node.stile.api('PUT', '/settings', settings), 200)
    })
    after(() => node.close())

    for (const variant of variants) {
      suite(wordsOf(variant), () => {
        let client: FapiClient
        let other: FapiClient
        before(async () => {
          browser = new Browser(node.stile)
          await authorizeBySignOnPage(browser, codeRequest(await register(node.stile)))
          client = await FapiClient.register(node, variant, held, properties)
          const redirectUris = ['https://app.test/cb?dummy1=lorem&dummy2=ipsum']
          other = await FapiClient.register(node, variant, heldByOther, { redirectUris, ...properties })
        })
        const another = (more: object, algorithm = 'ES256') =>
          FapiClient.register(node, variant, held, { ...properties, ...more }, clientKey(algorithm, 'signing'))
        const declare: Declare = (module, run, applies = true) => {
          if (!applies) return
          test(`${module} (${wordsOf(variant)})`, () => run({ node, world, browser, client, other, another }))
        }
        for (const declareModules of modules) declareModules(declare, variant)
      })
    }
  })
}
