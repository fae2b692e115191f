/**
 * Encryption of ID tokens, userinfo and authorization responses to a key of the application: OpenID Connect Core section
 * 10.2, JARM section 2.2, RFC 7516, RFC 7518 sections 4 and 5, through jose. A key that says it is for encryption comes
 * before one that says nothing.
 *
 * Never: a key that is for signatures; an answer in clear where the application wants it encrypted.
 */
import type { JWK } from 'jose'
import type { Context } from '../contract/operation.ts'
import type { Application } from '../environment/application.ts'
import { contentEncryptionAlgorithms, keyEncryptionAlgorithms } from '../environment/application-tokens.ts'
import { problem } from '../errors/problem.ts'
import { clientKeySet, keysKept } from './client-keys.ts'

/** What an application registered. */
export interface Encryption {
  readonly alg: (typeof keyEncryptionAlgorithms)[number]
  readonly enc: (typeof contentEncryptionAlgorithms)[number] | undefined
}

/**
 * Encrypts an answer.
 * @param content a signed JWT, or the JSON of claims
 * @throws Problem invalid_request when the application has no key for it, or it cannot be had
 */
export async function encryptFor(
  context: Pick<Context, 'kernel'>,
  application: Application,
  content: { readonly jwt: string } | { readonly json: string },
  { alg, enc = contentEncryptionAlgorithms[0] }: Encryption,
): Promise<string> {
  const jwk = (await keyOf(context, application, alg, keysKept)) ?? (await keyOf(context, application, alg, 0))
  if (!jwk) throw unusable()
  const { CompactEncrypt, importJWK } = await import('jose')
  const nested = 'jwt' in content
  const header = { alg, enc, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }), ...(nested ? { cty: 'JWT' } : {}) }
  try {
    // What it is for was looked at; `key_ops` of a public key mean something else to Web Cryptography.
    const { key_ops: _, ext: __, ...material } = jwk
    const key = await importJWK(material, alg)
    const plaintext = new TextEncoder().encode(nested ? content.jwt : content.json)
    return await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key)
  } catch (error) {
    context.kernel.log.warn({ err: error, applicationId: application.id }, 'an answer could not be encrypted')
    throw unusable()
  }
}

/** The key to encrypt to. @param maximumAge of a fetched key set, milliseconds: one that has none is read anew */
async function keyOf(
  context: Pick<Context, 'kernel'>,
  application: Application,
  alg: Encryption['alg'],
  maximumAge: number,
): Promise<JWK | undefined> {
  const fit = ((await clientKeySet(context, application, maximumAge))?.keys ?? []).filter((key) => isFor(key, alg))
  return fit.find(({ use }) => use === 'enc') ?? fit[0]
}

const keyOperations = ['encrypt', 'wrapKey', 'deriveKey', 'deriveBits']
const curves: readonly (string | undefined)[] = ['P-256', 'P-384', 'P-521', 'X25519']

function isFor({ kty, crv, use, alg: own, key_ops: operations }: JWK, alg: Encryption['alg']): boolean {
  if (use !== undefined && use !== 'enc') return false
  if (own !== undefined && own !== alg) return false
  if (operations && !operations.some((operation) => keyOperations.includes(operation))) return false
  return alg === 'RSA-OAEP-256' ? kty === 'RSA' : (kty === 'EC' || kty === 'OKP') && curves.includes(crv)
}

function unusable(): Error {
  return problem('invalid_request', { description: 'the application has no usable key to encrypt to' })
}
