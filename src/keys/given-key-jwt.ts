/**
 * JWTs signed by a key that somebody else has handed out, as PEM: what their servers know this one by (Apple, Google). RFC 7515
 * section 7.1.
 *
 * Never: an environment's own key (jws.ts signs by those); a text of the key in an error.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'

/** The key is none that the algorithm can be made with. Deliberately says no more. */
export class UnusableKey extends Error {
  override readonly name = 'UnusableKey'
  override readonly message = 'a private key cannot be used'
}

/** What can be signed by. */
export type GivenKeyAlgorithm = 'ES256' | 'RS256'

/** Reads a key: PKCS #8 in PEM. @throws UnusableKey when it is none, or not one for the algorithm */
export function givenKey(pem: string, algorithm: GivenKeyAlgorithm): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The error of the library may quote the key.
    throw new UnusableKey()
  }
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  const isFit =
    algorithm === 'ES256' ? namedCurve === 'prime256v1' : key.asymmetricKeyType === 'rsa' && modulusLength >= 2048
  if (!isFit) throw new UnusableKey()
  return key
}

/** Signs claims. @param header beside `alg` @throws UnusableKey */
export function signByGivenKey(pem: string, algorithm: GivenKeyAlgorithm, header: object, claims: object): string {
  const key = givenKey(pem, algorithm)
  const input = [{ alg: algorithm, ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
