/**
 * PURE: whether the claims of an ID token, whose signature holds, are meant for this server and this round trip. OpenID
 * Connect Core 3.1.3.7; security catalogue rows M03, M04, M11.
 *
 * Never: a claim that is absent taken for one that is right.
 */
import type { UpstreamRefusal } from './upstream-refused.ts'

/** The claims of a token or of a user information response. */
export type Claims = Readonly<Record<string, unknown>>

/** What is expected of an ID token. */
export interface IdTokenExpectations {
  readonly issuer: string
  readonly clientId: string
  readonly nonce: string
  /** Epoch milliseconds. */
  readonly now: number
}

/** How far the clock of a provider may stand from ours, in seconds. */
const clockSkew = 60
/** An ID token of a round trip is fresh. */
const oldestIssue = 600

/** Why the claims are refused; undefined when they are good. */
export function idTokenProblem(claims: Claims, expected: IdTokenExpectations): UpstreamRefusal | undefined {
  if (claims['iss'] !== expected.issuer) return 'id-token-issuer'
  if (!isForClient(claims, expected.clientId)) return 'id-token-audience'
  if (!isTimely(claims, Math.floor(expected.now / 1000))) return 'id-token-time'
  if (typeof claims['nonce'] !== 'string' || claims['nonce'] !== expected.nonce) return 'id-token-nonce'
  return undefined
}

/** One audience, or several of which this client is the authorized party. */
function isForClient({ aud, azp }: Claims, clientId: string): boolean {
  if (azp !== undefined && azp !== clientId) return false
  if (aud === clientId) return true
  if (!Array.isArray(aud) || !aud.every((one) => typeof one === 'string') || !aud.includes(clientId)) return false
  return aud.length === 1 || azp === clientId
}

function isTimely({ exp, iat, nbf }: Claims, now: number): boolean {
  if (!isTime(exp) || !isTime(iat)) return false
  if (exp + clockSkew <= now || iat > now + clockSkew || iat + oldestIssue < now) return false
  return nbf === undefined || (isTime(nbf) && nbf <= now + clockSkew)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/**
 * What names somebody at a provider, for good and exactly (row M11).
 * @param value the claim
 * @param isInteger whether the provider counts its accounts
 * @returns undefined when it can name nobody
 */
export function subjectFrom(value: unknown, isInteger: boolean): string | undefined {
  if (isInteger)
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : undefined
  if (typeof value !== 'string' || value.length === 0 || value.length > 255) return undefined
  if (!/^[\x20-\x7e]+$/.test(value) || value.trim() !== value) return undefined
  return /^(null|undefined|none|nil)$/i.test(value) ? undefined : value
}
