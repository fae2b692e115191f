/**
 * What all modules of a plan run against: one node under an https origin, an environment as an administrator makes it
 * (RS256, decision D18), one person with everything that a claim can say, and a server for what the suite publishes.
 *
 * Clients may register themselves. The administrator vouches for the host of the suite, else users would be shown a page
 * before a failed request goes back there (RFC 9700 section 4.11.2), and lets client assertions name the token endpoint, as
 * the suite's do (decision D8).
 */
import { realWorld } from '../../../src/world.ts'
import { type DocumentServer, startDocumentServer } from '../../harness/document-server.ts'
import { type Stile, startStile } from '../../harness/stile.ts'
import { openidGrant, policy } from '../../oauth/registering.ts'
import { otherEnvironment, type Person, person } from '../../oauth/registrations.ts'
import { SuiteBrowser } from './browser.ts'
import type { Client } from './relying-party.ts'

/** What a plan runs against. */
export interface Suite {
  readonly stile: Stile
  readonly who: Person
  /** What the suite publishes for the server to ask: keys, sectors, request objects, and the back channel. */
  readonly published: DocumentServer
  /** A browser in which the user signs on once; modules that need not begin without a session share it. */
  readonly browser: SuiteBrowser
  newBrowser(): SuiteBrowser
  /** Clients that an administrator has made, by what they are for. */
  readonly clients: Map<string, Promise<Client>>
  /** The clock of the server and of the suite, in epoch milliseconds. */
  now(): number
  /** Waits, without waiting. */
  wait(seconds: number): Promise<void>
  close(): Promise<void>
}

/** Under which the server is reached. */
export const serverOrigin = 'https://op.test'

/** Where the suite is: its redirect URIs begin so. */
export const suiteHost = 'suite.test'
export const suiteUrl = `https://${suiteHost}/test/a/stile`

/** Scopes that clients may ask for beside `openid`. */
export const scopes = ['profile', 'email', 'address', 'phone', 'offline_access'] as const

const everything = {
  email: 'ada@example.com',
  emailVerified: true,
  name: { formatted: 'Ada Lovelace', given: 'Ada', middle: 'Augusta', family: 'Lovelace' },
  nickname: 'countess',
  photo: { href: 'https://example.com/ada.png' },
  timezone: 'Europe/London',
  locale: 'en-GB',
  primaryPhone: '+44.2012345678',
  address: {
    streetAddress: '12 St James Square',
    locality: 'London',
    region: 'London',
    postalCode: 'SW1Y 4JH',
    countryCode: 'GB',
  },
}

/** Starts one. */
export async function startSuite(): Promise<Suite> {
  let ahead = 0
  const now = () => realWorld.now() + ahead
  const published = await startDocumentServer()
  const node = await startStile({ world: { ...realWorld, now }, environment: { STILE_PUBLIC_URL: serverOrigin } })
  const stile = await otherEnvironment(node)
  await policy(stile, {
    mode: 'OPEN',
    grantTypes: ['AUTHORIZATION_CODE', 'IMPLICIT', 'REFRESH_TOKEN'],
    redirectHosts: [suiteHost],
    acceptTokenEndpointAudience: true,
    perNetworkAddress: { count: 100_000, seconds: 60 },
    grants: [await openidGrant(stile, scopes)],
  })
  const who = await person(stile, everything)
  const newBrowser = () => new SuiteBrowser(serverOrigin, (url, call) => stile.send(url.pathname + url.search, call))
  return {
    stile,
    who,
    published,
    browser: newBrowser(),
    newBrowser,
    clients: new Map(),
    now,
    async wait(seconds) {
      ahead += seconds * 1000
      // A node that has not looked for news for so long would answer nobody (decision D23).
      await node.node.kernel.environments.poll()
    },
    async close() {
      await node.close()
      published.close()
    },
  }
}
