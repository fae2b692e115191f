/**
 * The client secret of Sign in with Apple: a JWT, signed by the developer's key, made for each exchange and good for
 * minutes. Apple: "Creating a client secret".
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Upstream } from './upstream.ts'
import { UpstreamRefused } from './upstream-refused.ts'

const lifeSeconds = 300

/**
 * Makes a client secret.
 * @param signingKey the key as Apple hands it out: PKCS #8 in PEM
 * @param now epoch milliseconds
 * @throws UpstreamRefused when the configured key is none
 */
export function appleClientSecret(
  { clientId, keyId, teamId }: Pick<Upstream, 'clientId' | 'keyId' | 'teamId'>,
  signingKey: string,
  now: number,
): string {
  const seconds = Math.floor(now / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = { alg: 'ES256', kid: keyId }
  const claims = {
    iss: teamId,
    iat: seconds,
    exp: seconds + lifeSeconds,
    aud: 'https://appleid.apple.com',
    sub: clientId,
  }
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: keyFrom(signingKey), dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

function keyFrom(signingKey: string): KeyObject {
  try {
    return createPrivateKey(signingKey)
  } catch {
    // The error of the library may quote the key.
    throw new UpstreamRefused('code-rejected')
  }
}
