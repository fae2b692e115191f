/**
 * A node whose way out is watched: a server on loopback counts who connects to it, names resolve to whatever a test says,
 * and some public addresses answer without a network.
 */
import { once } from 'node:events'
import dns from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { mock } from 'node:test'
import { openClientDocuments } from '../../src/external/client-documents.ts'
import type { Egress } from '../../src/external/egress.ts'
import { openProviderDocuments } from '../../src/external/provider-documents.ts'
import { type Sending, startSending } from '../delivery/sending.ts'
import { addMobileApp, mobileApplicationOf, newPerson, type Person } from '../flow-runtime/arrange.ts'
import type { DocumentServer } from '../harness/document-server.ts'
import type { Stile, StileOptions } from '../harness/stile.ts'
import { clientKey } from '../oauth/assertions.ts'
import { openidGrant, policy } from '../oauth/registering.ts'

/** Such a node. */
export interface AskingNode {
  readonly stile: Stile
  readonly sending: Sending
  /** A key that clients sign with. */
  readonly key: ReturnType<typeof clientKey>
  /** Somebody who signs on. */
  readonly person: Person
  /** An app that is woken, whose it is, and the path of the credentials that it is woken by. */
  readonly app: { readonly deviceId: string; readonly userId: string; readonly credentials: string }
  /** The port of the server that nobody must connect to. */
  readonly sink: number
  /** How many have connected to it. */
  connections(): number
  /** The addresses and ports that this process has tried to connect to, but for the node itself. */
  attempts(): readonly string[]
  /** What a name resolves to, by how often it has been asked for; others resolve to nothing. */
  readonly names: Map<string, (time: number) => readonly string[]>
  /** How often a name was resolved. */
  resolved(name: string): number
  /** Whether the server has tried to ask at an address. */
  isAsked(url: string): boolean
  /** What is made once for all of its tests. */
  once<Made>(name: string, make: () => Promise<Made>): Promise<Made>
  /** Lets a public address answer with JSON. */
  serve(url: string, body: unknown): void
  close(): Promise<void>
}

/** A public address that nobody has (IANA has not given it to anybody). */
export const publicAddress = '2d00::1'

/** What clients may do that register themselves: anything. */
export const openPolicy = { mode: 'OPEN', perNetworkAddress: { count: 100_000, seconds: 60 } } as const

/**
 * Starts one.
 * @param documents a server that it may ask
 */
export async function startAskingNode(
  options: StileOptions,
  documents?: Pick<DocumentServer, 'hits'>,
): Promise<AskingNode> {
  let connections = 0
  const sink = createServer((socket) => socket.on('error', () => {}).destroy(void connections++))
  // Whatever address of this machine is taken, it is here.
  sink.listen(0)
  await once(sink, 'listening')
  const names: AskingNode['names'] = new Map()
  const asked = new Map<string, number>()
  const lookup = mock.method(dns, 'lookup', async (name: string) => {
    const time = (asked.get(name) ?? 0) + 1
    asked.set(name, time)
    const addresses = names.get(name)?.(time)
    if (!addresses) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  })
  syncBuiltinESMExports()

  const attempts = new Set<string>()
  const { connect } = Socket.prototype
  const connecting = mock.method(
    Socket.prototype,
    'connect',
    function (this: Socket, ...given: Parameters<typeof connect>) {
      this.on('connectionAttempt', (address: string, port: number) => {
        attempts.add(`${address} ${port}`)
        // No network is needed to find out that nobody is there.
        if (address === publicAddress) process.nextTick(() => this.destroy(new Error('unreachable')))
      })
      return connect.apply(this, given)
    },
  )

  const sending = await startSending({}, options)
  const { stile, world } = sending
  const made = new Map<string, Promise<unknown>>()
  const served = new Map<string, Buffer>()
  const { egress } = stile.node.kernel
  const answering: Egress = async (request) => {
    const body = served.get(request.url)
    return body ? { status: 200, contentType: 'application/json', cacheControl: '', body } : egress(request)
  }
  Object.assign(stile.node.kernel, {
    egress: answering,
    providerDocuments: openProviderDocuments(answering, world),
    clientDocuments: openClientDocuments(answering, world),
  })
  await policy(stile, {
    ...openPolicy,
    grants: [await openidGrant(stile)],
    clientIdMetadataDocuments: { enabled: true },
  })
  const owner = await newPerson(stile)
  const push = { pushToken: 'registration:APA91b', pushService: 'FCM_HTTP_V1' }
  const { deviceId } = await addMobileApp(stile, owner, push)
  const mobileApplication = await mobileApplicationOf(stile)
  return {
    stile,
    sending,
    key: clientKey(),
    person: await newPerson(stile),
    app: { deviceId, userId: owner.id, credentials: `/applications/${mobileApplication}/pushCredentials` },
    sink: (sink.address() as AddressInfo).port,
    connections: () => connections,
    attempts: () => [...attempts].filter((each) => each !== `127.0.0.1 ${stile.node.port}`),
    names,
    resolved: (name) => asked.get(name) ?? 0,
    once<Made>(name: string, make: () => Promise<Made>) {
      const already = made.get(name) ?? make()
      made.set(name, already)
      return already as Promise<Made>
    },
    isAsked(url) {
      const { hostname, pathname } = new URL(url)
      return asked.has(hostname) || (documents?.hits(pathname) ?? 0) > 0
    },
    serve: (url, body) => void served.set(url, Buffer.from(JSON.stringify(body))),
    async close() {
      await stile.close()
      connecting.mock.restore()
      lookup.mock.restore()
      syncBuiltinESMExports()
      sink.close()
    },
  }
}
