/** DPoP proofs, for tests: RFC 9449 section 4.2. */
import { hash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose'
import type { Stile } from '../harness/stile.ts'
import type { ClientKey } from './assertions.ts'

/** What a proof is for, and what of it is otherwise than it should be; undefined leaves a member out. */
export interface Proof {
  readonly method?: string
  /** Path of the request; default: the token endpoint. */
  readonly path?: string
  readonly accessToken?: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

function present(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** Makes a proof. */
export function proofOf(
  stile: Stile,
  key: ClientKey,
  { method = 'POST', path = `/${stile.environmentId}/as/token`, accessToken, claims, header }: Proof = {},
): Promise<string> {
  const origin = path.startsWith('/v1') ? stile.apiUrl : stile.authUrl
  const ath = accessToken === undefined ? undefined : hash('sha256', accessToken, 'base64url')
  const iat = Math.floor(stile.node.kernel.world.now() / 1000)
  return new SignJWT(present({ jti: randomUUID(), htm: method, htu: origin + path, iat, ath, ...claims }))
    .setProtectedHeader(present({ typ: 'dpop+jwt', alg: key.algorithm, jwk: key.jwk, ...header }) as { alg: string })
    .sign(key.privateKey)
}

/** The thumbprint of a key. */
export function thumbprintOf({ jwk }: ClientKey): Promise<string> {
  return calculateJwkThumbprint(jwk as JWK)
}
