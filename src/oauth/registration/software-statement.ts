/**
 * Software statements: metadata that somebody else has signed (RFC 7591 section 2.3). What one says goes before what the
 * client says of itself.
 *
 * Never: a statement of an issuer that the policy does not trust, one that has expired, one for another server (RFC 7519
 * section 4.1.3; most name none), or `none`.
 */
import { parseJson } from '../../contract/json.ts'
import type { Context } from '../../contract/operation.ts'
import { type Problem, problem } from '../../errors/problem.ts'
import { verifyClientJwt } from '../client-keys.ts'
import { keyAlgorithms } from '../rules/client-algorithms.ts'
import { metadataProblem } from './client-metadata.ts'

/** A statement that counts. */
export interface SoftwareStatement {
  readonly text: string
  readonly issuer: string
  /** The metadata it holds. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Claims that are about the statement, not about the client. */
const ofJwt = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'software_statement', 'client_id']
const longestStatement = 16_384
/** Clocks differ, in seconds. */
const leeway = 60

/**
 * Reads the statement of a request.
 * @param kept the one that came with the registration, where the request changes it and brings none
 * @returns undefined where there is none, and none is required
 * @throws Problem invalid_software_statement, unapproved_software_statement
 */
export async function readSoftwareStatement(
  context: Context,
  said: Readonly<Record<string, unknown>>,
  kept: string | undefined,
): Promise<SoftwareStatement | undefined> {
  const { required, trustedIssuers } = context.environment.clientRegistrationPolicy.softwareStatements
  const text = said['software_statement'] ?? kept
  if (text === undefined) {
    if (required) throw problem('unapproved_software_statement', { description: 'a software statement is required' })
    return undefined
  }
  if (typeof text !== 'string' || text.length > longestStatement)
    throw metadataProblem(['software_statement'], 'must be a JWT of at most 16,384 characters')
  const issuer = issuerOf(text)
  const trusted = trustedIssuers.find((candidate) => candidate.issuer === issuer)
  if (!trusted) throw problem('unapproved_software_statement', { description: 'its issuer is not trusted here' })
  const { environment, now } = context
  const signer = { id: '', document: { jwks: trusted.jwks, jwksUrl: trusted.jwksUrl } }
  // RFC 7591 gives it no `typ`; the trusted key says what it is for.
  const check = { algorithms: keyAlgorithms, types: [undefined, 'jwt', 'software-statement+jwt'] }
  const verdict = await verifyClientJwt(context, environment, signer, text, check)
  if (!verdict.ok) throw refused('its signature does not hold')
  const { claims } = verdict
  const { exp, iat, nbf, aud } = claims
  const seconds = now / 1000
  if (exp !== undefined && !(isTime(exp) && exp > seconds - leeway) && text !== kept) throw refused('it has expired')
  if (![iat, nbf].every((time) => time === undefined || (isTime(time) && time <= seconds + leeway))) {
    throw refused('it is not good yet')
  }
  const { issuer: own } = context.site
  const audiences = aud === undefined ? [own] : Array.isArray(aud) ? (aud as unknown[]) : [aud]
  if (!audiences.includes(own) && !audiences.includes(`${own}/register`)) throw refused('it is for another server')
  const metadata = Object.entries(claims).filter(([name]) => !ofJwt.includes(name))
  return { text, issuer: trusted.issuer, claims: Object.fromEntries(metadata) }
}

/** The issuer that an unverified statement names; its keys then decide whether that is true. */
function issuerOf(text: string): string | undefined {
  const [, payload = ''] = text.split('.')
  try {
    const claims = parseJson(Buffer.from(payload, 'base64url')) as { readonly iss?: unknown } | null
    return typeof claims?.iss === 'string' ? claims.iss : undefined
  } catch {
    return undefined
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function refused(description: string): Problem {
  return problem('invalid_software_statement', { description })
}
