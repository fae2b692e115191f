/**
 * One failure value for all protocols. Whoever finds the failure names the catalogue row and the details; which shape
 * it takes on the wire (PingOne JSON, OAuth JSON, page, redirect) is decided where the answer is written.
 */
import { type CatalogEntry, type CatalogKey, catalog, type DetailCode } from './catalog.ts'

/** One entry of `details` (authentication-api 7.1). */
export interface Detail {
  readonly code: DetailCode
  readonly message: string
  readonly target?: string
  readonly innerError?: Readonly<Record<string, unknown>>
}

/** What a problem may carry beside its catalogue row. */
export interface ProblemOptions {
  readonly details?: readonly Detail[]
  /** Shown to developers: `error_description` on OAuth endpoints. Never holds a secret. */
  readonly description?: string
  /** Extra response headers, e.g. `allow` or `retry-after` (seconds). */
  readonly headers?: Readonly<Record<string, string>>
  /** For the log only. */
  readonly cause?: unknown
}

/** A failure that has an answer. Throwing one inside a unit rolls the unit back. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly key: CatalogKey
  readonly entry: CatalogEntry
  readonly details: readonly Detail[]
  readonly description: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(key: CatalogKey, options: ProblemOptions = {}) {
    super(options.description ?? catalog[key].message, options.cause === undefined ? {} : { cause: options.cause })
    this.key = key
    this.entry = catalog[key]
    this.details = options.details ?? []
    this.description = options.description
    this.headers = options.headers ?? {}
  }
}

/** Builds a problem from its catalogue row. */
export function problem(key: CatalogKey, options?: ProblemOptions): Problem {
  return new Problem(key, options)
}

/** 400 INVALID_DATA with one detail. */
export function invalidData(
  code: DetailCode,
  target: string,
  message: string,
  innerError?: Readonly<Record<string, unknown>>,
): Problem {
  return new Problem('INVALID_DATA', {
    details: [innerError ? { code, target, message, innerError } : { code, target, message }],
  })
}

/** 400 INVALID_DATA for a value that must be unique and is taken (decision D9). */
export function uniquenessViolation(target: string): Problem {
  return invalidData('UNIQUENESS_VIOLATION', target, 'is unique but a non-unique value is provided')
}

/** 404, the same for what never existed, what is gone and what belongs to somebody else. */
export function notFound(): Problem {
  return new Problem('NOT_FOUND')
}

/**
 * 401 for a missing or bad access token.
 * @param challenge the `WWW-Authenticate`; by default that of RFC 6750 section 3
 */
export function invalidToken(description?: string, challenge = bearerChallenge(description)): Problem {
  return new Problem('INVALID_TOKEN', {
    details: [
      {
        code: 'INVALID_TOKEN',
        target: 'Authentication Credentials',
        message: 'The authorization token is either missing or invalid, or it has expired.',
      },
    ],
    headers: { 'www-authenticate': challenge },
  })
}

function bearerChallenge(description: string | undefined): string {
  return description ? `Bearer error="invalid_token", error_description="${description}"` : 'Bearer'
}

/** The body of PingOne's errors (authentication-api 7.1). */
export interface PingOneError {
  readonly id: string
  readonly code: string
  readonly message: string
  readonly details?: readonly Detail[]
}

/** Renders a problem as PingOne JSON; `id` is the correlation id of the request. */
export function toPingOne(failure: Problem, correlationId: string): PingOneError {
  const { code, message } = failure.entry
  return failure.details.length > 0
    ? { id: correlationId, code, message, details: failure.details }
    : { id: correlationId, code, message }
}

/** The body of OAuth errors (RFC 6749 section 5.2). */
export interface OAuthError {
  readonly error: string
  readonly error_description: string
}

/**
 * Renders a problem as OAuth JSON. The description is PingOne's composition: general text, detail, correlation id
 * (authentication-api 2.20).
 */
export function toOAuth(failure: Problem, correlationId: string): OAuthError {
  const detail = failure.description ?? failure.details[0]?.message
  const core = detail ? `${failure.entry.message}: ${detail}` : failure.entry.message
  return { error: failure.entry.oauth, error_description: `${core} (Correlation ID: ${correlationId})` }
}
