/**
 * A node for tests: what `dev` runs, in process, on a free port, with its demo environment (demo-template.ts) and a data
 * directory that is removed afterwards. Over real HTTP; nothing is mocked.
 */
import { readConfig } from '../../src/config.ts'
import type { Quickstart } from '../../src/dev/quickstart.ts'
import { startDevServer } from '../../src/cli/dev-server.ts'
import type { Dns } from '../../src/external/dns.ts'
import type { Node } from '../../src/http/node.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { realWorld, type World } from '../../src/world.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'
import { beginWithDemo, testSettings } from './demo-template.ts'
import { sharedHashingPool } from './hashing-pool.ts'
import { request } from './request.ts'
import { sharedRsaKeyPair } from './rsa-key.ts'

/** What a test sends. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, unless it is a string (sent as it is) or URLSearchParams (sent as a form). */
  readonly body?: unknown
  /** Bearer token; default on `api`: the worker's. `null` sends none. */
  readonly token?: string | null
  readonly mediaType?: string
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body, or undefined where it is no JSON. */
  readonly json: any
}

/** A running node with its demo environment. */
export interface Stile extends Quickstart {
  readonly node: Node
  /** A request to any path, without following redirects. */
  send(path: string, call?: Call): Promise<Answer>
  /** A request to the management API of the demo environment (`/populations`) or, with a full path, anywhere under /v1. */
  api(method: string, path: string, body?: unknown, call?: Call): Promise<Answer>
  workerToken(): Promise<string>
  close(): Promise<void>
}

/** Settings of a node for tests. */
export interface StileOptions {
  readonly databaseUrl?: string
  readonly world?: World
  readonly dns?: Dns
  readonly environment?: Readonly<Record<string, string>>
  /** Asks public addresses alone, as in production; a node for tests may ask loopback too. */
  readonly asksPublicOnly?: true
  /** Hashes passwords with a pool of its own and at the cost that they have in production. */
  readonly hashesAsInProduction?: true
}

/** Starts a node. */
export async function startStile(options: StileOptions = {}): Promise<Stile> {
  const directory = await temporaryDirectory()
  const { masterKey, previous } = await beginWithDemo(directory.path, options.databaseUrl)
  const settings = readConfig(
    'dev',
    {
      ...testSettings,
      ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
      ...options.environment,
    },
    { port: '0', dataDirectory: directory.path },
  )
  const config = options.asksPublicOnly ? { ...settings, egressAllow: undefined } : settings
  const world = { ...(options.world ?? realWorld), rsaKeyPair: sharedRsaKeyPair }
  const { node, quickstart } = await startDevServer(config, world, parseMasterKeys(masterKey), previous, {
    ...(options.dns ? { dns: options.dns } : {}),
    ...(options.hashesAsInProduction ? {} : { passwords: sharedHashingPool() }),
  }).catch(async (error: unknown) => {
    await directory.remove()
    throw error
  })
  const base = `http://127.0.0.1:${node.port}`
  let token: Promise<string> | undefined
  let renewAt = 0

  async function send(path: string, call: Call = {}): Promise<Answer> {
    const { body } = call
    const isForm = body instanceof URLSearchParams
    const payload =
      body === undefined ? undefined : typeof body === 'string' ? body : isForm ? body.toString() : JSON.stringify(body)
    const mediaType = call.mediaType ?? (isForm ? 'application/x-www-form-urlencoded' : 'application/json')
    const headers = {
      ...(payload === undefined && !call.mediaType ? {} : { 'content-type': mediaType }),
      ...(call.token ? { authorization: `Bearer ${call.token}` } : {}),
      ...call.headers,
    }
    const url = path.startsWith('http') ? path : base + path
    const answer = await request(url, call.method ?? (body === undefined ? 'GET' : 'POST'), headers, payload)
    let json: unknown
    try {
      json = JSON.parse(answer.text)
    } catch {
      json = undefined
    }
    return { ...answer, json }
  }

  const workerToken = () => {
    // It lives for an hour, by the clock of the node.
    const now = world.now()
    if (now >= renewAt) token = undefined
    if (token === undefined) renewAt = now + 3_500_000
    token ??= send(`/${quickstart.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      headers: { authorization: basic(quickstart.worker.clientId, quickstart.worker.clientSecret) },
    }).then((answer) => answer.json.access_token as string)
    return token
  }

  return {
    ...quickstart,
    node,
    send,
    workerToken,
    async api(method, path, body, call = {}) {
      const full = path.startsWith('/v1') ? path : `/v1/environments/${quickstart.environmentId}${path}`
      const bearer = call.token === undefined ? await workerToken() : call.token
      return send(full, { ...call, method, token: bearer, ...(body === undefined ? {} : { body }) })
    },
    async close() {
      await node.close()
      await directory.remove()
    },
  }
}

/** A Basic Authorization header. */
export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
}
