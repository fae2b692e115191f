/** Request objects as clients make them (RFC 9101), for tests of whoever reads them. */
import type { KeyObject } from 'node:crypto'
import { type JWTHeaderParameters, SignJWT } from 'jose'
import type { Stile } from '../harness/stile.ts'
import type { ClientKey } from './assertions.ts'
import type { Registered } from './registrations.ts'

/** What an object is signed by: a key, the secret of the client, or nothing. */
export type Signer =
  | Pick<ClientKey, 'algorithm' | 'privateKey'>
  | { readonly algorithm: string; readonly secret: string | Uint8Array }
  | 'none'

/** The signature of the client's secret. */
export function bySecret({ clientSecret }: Registered, algorithm = 'HS256'): Signer {
  return { algorithm, secret: clientSecret }
}

/**
 * Makes a request object.
 * @param claims parameters, and claims that differ from those of a good object; undefined leaves one out
 */
export function requestObject(
  stile: Stile,
  { clientId }: Registered,
  signer: Signer,
  claims: Readonly<Record<string, unknown>>,
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const now = Math.floor(stile.node.kernel.world.now() / 1000)
  const whole = Object.entries({ iss: clientId, aud: stile.issuer, iat: now, exp: now + 300, ...claims })
  return signed(signer, Object.fromEntries(whole.filter(([, value]) => value !== undefined)), header)
}

async function signed(
  signer: Signer,
  claims: Readonly<Record<string, unknown>>,
  header: Partial<JWTHeaderParameters>,
): Promise<string> {
  if (signer === 'none') {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${encode({ alg: 'none', ...header })}.${encode(claims)}.`
  }
  const key: KeyObject | Uint8Array = 'secret' in signer ? Buffer.from(signer.secret) : signer.privateKey
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: signer.algorithm, ...header }).sign(key)
}
