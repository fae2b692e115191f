/** JWTs taken apart and signed anew, whatever they say: what the forgeries of tests are made with. */
import { createHmac, type KeyObject, sign } from 'node:crypto'

export type Members = Readonly<Record<string, unknown>>

/** What a good JWT is signed by. */
export type JwtSigner =
  | { readonly algorithm: 'ES256'; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  | { readonly algorithm: 'HS256'; readonly secret: Buffer | KeyObject }

export const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
export const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Members

export function mac(input: string, key: Buffer | KeyObject, hash = 'sha256'): Buffer {
  return createHmac(hash, key).update(input).digest()
}

export function ecdsa(
  input: string,
  key: KeyObject,
  hash = 'sha256',
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
): Buffer {
  return sign(hash, Buffer.from(input), { key, dsaEncoding })
}

/** Signs, whatever the header says. A string is the text of a part, as it is. */
export function signJwtAs(signer: JwtSigner, header: Members | string, claims: Members | string): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = signer.algorithm === 'HS256' ? mac(input, signer.secret) : ecdsa(input, signer.privateKey)
  return `${input}.${signature.toString('base64url')}`
}

/** What forgeries are made of. */
export interface ForgeryMaterial {
  readonly good: string
  readonly signer: JwtSigner
  /** The address of the attacker, for `jku` and `x5u`. */
  readonly evilUrl: string
  /** Epoch seconds. */
  readonly now: number
  /** The `aud` that is right. */
  readonly audience: unknown
}

/** Forgeries by their names. */
export type Forge = (material: ForgeryMaterial) => Readonly<Record<string, string>>

export function parts(good: string) {
  const [h = '', c = '', s = ''] = good.split('.')
  return { h, c, s, header: decode(h), claims: decode(c) }
}
