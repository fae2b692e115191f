/**
 * Access tokens that a node holds as a client of somebody else's authorization server: client credentials, RFC 6749
 * sections 4.4 and 2.3.1, or a JWT of its own as the grant, RFC 7523 section 2.1, as Google has it for service accounts. A
 * token is asked for once by everybody who needs it and kept until shortly before it expires.
 *
 * Never: a token or a secret anywhere but in memory; a token of one secret handed to somebody who holds another; a
 * refresh token.
 */
import { createHash } from 'node:crypto'
import { signByGivenKey, UnusableKey } from '../keys/given-key-jwt.ts'
import type { World } from '../world.ts'
import type { Egress } from './egress.ts'
import { basicCredentials } from './token-exchange.ts'

/** A client and where it gets its tokens. */
export interface ClientCredentials {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  /** Default: none are asked for. */
  readonly scopes: readonly string[]
}

/** A client that signs by a key which it was given: RS256. */
export interface ServiceAccount {
  readonly tokenEndpoint: string
  readonly email: string
  /** PKCS #8 in PEM. */
  readonly privateKey: string
  readonly scopes: readonly string[]
}

/** Whoever can be given a token. */
export type TokenClient = ClientCredentials | ServiceAccount

/** The authorization server answered without a token that can be used. */
export class NoClientToken extends Error {
  override readonly name = 'NoClientToken'
}

/** The tokens of a node. */
export interface ClientTokens {
  /** A token for the client. @throws EgressFailed, NoClientToken */
  token(client: TokenClient): Promise<string>
  /** Forgets a token that was refused; one that has taken its place meanwhile stays. */
  forget(client: TokenClient, token: string): void
}

interface Kept {
  readonly token: Promise<string>
  /** The token, once it is there. */
  value: string | undefined
  /** Epoch milliseconds; until the answer is there, nobody asks a second time. */
  usableUntil: number
}

const mostTokens = 500
const maximumBytes = 64 * 1024
/** A token is asked for anew this long before it expires, so that it does not expire on its way. */
const marginSeconds = 30
/** How long a token is kept whose lifetime the server does not tell (RFC 6749 section 5.1: it may leave it out). */
const standardSeconds = 300
const longestSeconds = 86_400

/** Opens the tokens of a node. */
export function openClientTokens(egress: Egress, world: World): ClientTokens {
  const kept = new Map<string, Kept>()

  function ask(key: string, client: TokenClient): Promise<string> {
    const answer = requestToken(egress, client, world.now())
    const entry: Kept = { token: answer.then(({ token }) => token), value: undefined, usableUntil: Infinity }
    kept.delete(key)
    kept.set(key, entry)
    const [oldest] = kept.keys()
    if (kept.size > mostTokens && oldest !== undefined) kept.delete(oldest)
    answer.then(
      ({ token, lifetimeSeconds }) => {
        entry.value = token
        entry.usableUntil = world.now() + (lifetimeSeconds - marginSeconds) * 1000
      },
      // A failure is nobody's token: the next one asks again.
      () => {
        if (kept.get(key) === entry) kept.delete(key)
      },
    )
    return entry.token
  }

  return {
    token(client) {
      const key = keyOf(client)
      const entry = kept.get(key)
      return entry && world.now() < entry.usableUntil ? entry.token : ask(key, client)
    },
    forget(client, token) {
      const key = keyOf(client)
      if (kept.get(key)?.value === token) kept.delete(key)
    },
  }
}

function keyOf(client: TokenClient): string {
  const { tokenEndpoint, scopes } = client
  const holder = 'email' in client ? [client.email, client.privateKey] : [client.clientId, client.clientSecret]
  return createHash('sha256')
    .update(JSON.stringify([tokenEndpoint, ...holder, scopes]))
    .digest('base64url')
}

async function requestToken(egress: Egress, client: TokenClient, now: number) {
  const { headers, body } = 'email' in client ? grantOf(client, now) : credentialsOf(client)
  const answer = await egress({
    method: 'POST',
    url: client.tokenEndpoint,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: body.toString(),
    maximumBytes,
  })
  if (answer.status !== 200) throw new NoClientToken(`the token endpoint answered ${answer.status}`)
  return tokenFrom(answer.body)
}

function credentialsOf({ clientId, clientSecret, scopes }: ClientCredentials) {
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scopes.length > 0) body.set('scope', scopes.join(' '))
  return { headers: { authorization: basicCredentials(clientId, clientSecret) }, body }
}

const grantSeconds = 300

/** @throws NoClientToken when the key cannot be used */
function grantOf({ tokenEndpoint, email, privateKey, scopes }: ServiceAccount, now: number) {
  const iat = Math.floor(now / 1000)
  const claims = { iss: email, scope: scopes.join(' '), aud: tokenEndpoint, iat, exp: iat + grantSeconds }
  try {
    const assertion = signByGivenKey(privateKey, 'RS256', { typ: 'JWT' }, claims)
    return {
      headers: {},
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    }
  } catch (error) {
    if (error instanceof UnusableKey) throw new NoClientToken(error.message)
    throw error
  }
}

function tokenFrom(body: Buffer): { readonly token: string; readonly lifetimeSeconds: number } {
  const {
    access_token: token,
    token_type: type = 'Bearer',
    expires_in: lifetime = standardSeconds,
  } = objectFrom(body.toString('utf8'))
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) {
    throw new NoClientToken('the token endpoint answered without a token')
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new NoClientToken('the token is no bearer token')
  }
  // Some servers write the number as text.
  const seconds = Number(lifetime)
  const lifetimeSeconds = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), longestSeconds) : standardSeconds
  return { token, lifetimeSeconds }
}

function objectFrom(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? { ...json } : {}
  } catch {
    // The text may hold a token: nothing of it goes into the error.
    throw new NoClientToken('the token endpoint answered without JSON')
  }
}
