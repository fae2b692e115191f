/**
 * The client secret of Sign in with Apple: a JWT, signed by the developer's key, made for each exchange and good for
 * minutes. Apple: "Creating a client secret".
 */
import { signByGivenKey, UnusableKey } from '../keys/given-key-jwt.ts'
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
  const claims = {
    iss: teamId,
    iat: seconds,
    exp: seconds + lifeSeconds,
    aud: 'https://appleid.apple.com',
    sub: clientId,
  }
  try {
    return signByGivenKey(signingKey, 'ES256', { kid: keyId }, claims)
  } catch (error) {
    if (error instanceof UnusableKey) throw new UpstreamRefused('code-rejected')
    throw error
  }
}
