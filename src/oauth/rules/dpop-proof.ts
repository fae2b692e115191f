/**
 * PURE: what a DPoP proof has to say: RFC 9449 section 4.3, row D23. Its signature, its thumbprint, whether it was used
 * before and whether its nonce is ours is found out elsewhere (`access/dpop.ts`).
 *
 * Never: the address of a request taken from the request itself (`Host`): the addresses are those that this server has;
 * a proof that says nothing about its time; a key that is private, symmetric or none.
 */
import { keyAlgorithms } from './client-algorithms.ts'

/** What a proof is held against. */
export interface ProofExpectations {
  /** The method of the request. */
  readonly method: string
  /** The addresses under which clients reach what was requested. */
  readonly addresses: readonly string[]
  /** SHA-256 of the access token that comes with it, base64url; undefined where none does. */
  readonly accessTokenHash: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** How far the `iat` of a proof may be from now, in seconds, either way. */
export const proofWindow = 60

type Members = Readonly<Record<string, unknown>>

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What is wrong with the header of a proof; undefined when nothing is. */
export function proofHeaderProblem({ typ, alg, jwk }: Members): string | undefined {
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt') return 'typ is not dpop+jwt'
  if (!keyAlgorithms.some((known) => known === alg)) return 'alg is not supported'
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return 'jwk is missing'
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) return 'jwk is not a public key'
  const { kty } = jwk as { readonly kty?: unknown }
  return kty === 'RSA' || kty === 'EC' || kty === 'OKP' ? undefined : 'jwk is not a public key'
}

/** What is wrong with the claims of a proof; undefined when nothing is. */
export function proofClaimsProblem(claims: Members, expectations: ProofExpectations): string | undefined {
  const { jti, htm, htu, ath } = claims
  if (typeof jti !== 'string' || jti === '') return 'jti is missing'
  if (htm !== expectations.method) return 'htm is not the method of the request'
  const address = typeof htu === 'string' ? normalAddress(htu) : undefined
  if (address === undefined || !expectations.addresses.some((own) => normalAddress(own) === address)) {
    return 'htu is not the address of the request'
  }
  if (expectations.accessTokenHash !== undefined && ath !== expectations.accessTokenHash) {
    return 'ath is not the hash of the access token'
  }
  return timeProblem(claims, Math.floor(expectations.now / 1000))
}

function timeProblem({ iat, exp, nbf }: Members, now: number): string | undefined {
  if (!isTime(iat) || (exp !== undefined && !isTime(exp)) || (nbf !== undefined && !isTime(nbf))) {
    return 'iat is missing or a time is malformed'
  }
  if (Math.abs(now - iat) > proofWindow) return 'iat is too far from now'
  const isOver = exp !== undefined && exp + proofWindow <= now
  return isOver || (nbf !== undefined && nbf > now + proofWindow) ? 'it is not valid now' : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * An address without query and fragment, written as everybody else writes it: RFC 3986 sections 6.2.2 and 6.2.3.
 * @returns undefined when it is no address of the web
 */
export function normalAddress(address: string): string | undefined {
  const url = URL.parse(address)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '') {
    return undefined
  }
  const path = url.pathname.replaceAll(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : octet.toUpperCase()
  })
  return `${url.origin}${path}`
}
