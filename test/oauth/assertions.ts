/** What clients sign with keys of their own: client assertions, for tests of whoever takes them. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { type JWTHeaderParameters, SignJWT } from 'jose'
import type { KeyPair } from '../../src/world.ts'
import type { Call, Stile } from '../harness/stile.ts'
import { type Registered, register, wrk } from './registrations.ts'

/** The value of `client_assertion_type`. */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A key of a client. */
export interface ClientKey {
  readonly algorithm: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public key as it is registered. */
  readonly jwk: Readonly<Record<string, unknown>>
}

/** Makes a key for an algorithm; without `kid`, no `kid` anywhere. */
export function clientKey(algorithm = 'ES256', kid?: string): ClientKey {
  const { publicKey, privateKey } = keyPair(algorithm)
  return {
    algorithm,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid === undefined ? {} : { kid }) },
  }
}

function keyPair(algorithm: string): KeyPair {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'ES512':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
    default:
      return nextRsaKeyPair()
  }
}

/** RSA keys take long to make: three are enough, and two that are made one after the other are never the same. */
const rsaKeyPairs: KeyPair[] = []
let rsaKeysGiven = 0

function nextRsaKeyPair(): KeyPair {
  const at = rsaKeysGiven++ % 3
  return (rsaKeyPairs[at] ??= generateKeyPairSync('rsa', { modulusLength: 2048 }))
}

/** A JWK set as applications register it. */
export function keySet(...keys: readonly ClientKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })
}

/** The claims of a good assertion. */
export function assertionClaims(stile: Stile, clientId: string): Record<string, unknown> {
  const now = Math.floor(stile.node.kernel.world.now() / 1000)
  return { iss: clientId, sub: clientId, aud: stile.issuer, jti: randomUUID(), iat: now, exp: now + 60 }
}

/**
 * Signs an assertion.
 * @param otherwise claims that differ from those of a good one; undefined leaves one out
 */
export function assertion(
  stile: Stile,
  clientId: string,
  {
    algorithm,
    privateKey,
    jwk,
  }: Pick<ClientKey, 'algorithm' | 'jwk'> & { readonly privateKey: KeyObject | Uint8Array },
  otherwise: Readonly<Record<string, unknown>> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const claims = Object.entries({ ...assertionClaims(stile, clientId), ...otherwise })
  const { kid } = jwk
  return new SignJWT(Object.fromEntries(claims.filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg: algorithm, ...(typeof kid === 'string' ? { kid } : {}), ...header })
    .sign(privateKey)
}

/** The form by which a client credentials request presents an assertion. */
export function byAssertion(jwt: string, more: Readonly<Record<string, string>> = {}): Call {
  return {
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: jwt,
      ...more,
    }),
  }
}

/** The fixture `pkj` of the security catalogue: a client known by a private key of its own. */
export function registerPkj(stile: Stile, key: ClientKey, properties: object = {}): Promise<Registered> {
  return register(stile, { ...wrk, tokenEndpointAuthMethod: 'PRIVATE_KEY_JWT', jwks: keySet(key), ...properties }, [])
}
