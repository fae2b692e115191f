/**
 * How answers are written: headers every answer carries (security catalogue 4.1, authentication-api 1.6), bodies cut to
 * their declared schema, and one failure rendered as the surface of the operation wants it.
 */
import type { Logger } from 'pino'
import type { Operation, Reply, Surface } from '../contract/operation.ts'
import { HashingOverloaded } from '../directory/passwords/pool.ts'
import { type Problem, problem, Problem as ProblemClass, toOAuth, toPingOne } from '../errors/problem.ts'
import { errorPage } from '../pages/error.ts'
import { StorageUnavailable } from '../storage/port.ts'
import { Stale } from '../storage/refusals.ts'

const jsonTypes: Readonly<Record<Surface, string>> = {
  management: 'application/json;charset=UTF-8',
  oauth: 'application/json;charset=UTF-8',
  flow: 'application/hal+json;charset=UTF-8',
  page: 'application/json;charset=UTF-8',
}

/** Headers of every answer. */
export function baseHeaders(correlationId: string, secure: boolean): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'correlation-id': correlationId,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  }
  if (secure) headers['strict-transport-security'] = 'max-age=31536000; includeSubDomains'
  return headers
}

/** A written answer. */
export interface Written {
  readonly status: number
  readonly contentType: string | undefined
  /** Undefined where there is none, which has no type either: clients refuse an empty answer of a type they do not read. */
  readonly payload: string | Buffer | undefined
}

/**
 * Serializes a handler's answer. In dev and tests a body that does not fit its declaration throws; in production what
 * is not declared is left out, logged and counted, and a committed write never becomes a 5xx.
 */
export function writeReply(operation: Operation, reply: Reply, strict: boolean, log: Logger): Written {
  if (reply.html !== undefined)
    return { status: reply.status, contentType: 'text/html;charset=UTF-8', payload: reply.html }
  if (reply.text) return { status: reply.status, contentType: reply.text.contentType, payload: reply.text.content }
  if (reply.file) return { status: reply.status, contentType: reply.file.contentType, payload: reply.file.content }
  const schema = operation.replies[reply.status]
  if (schema === undefined && strict)
    throw new Error(`${operation.id} answers ${reply.status}, which it does not declare`)
  if (!schema || reply.body === undefined) return { status: reply.status, contentType: undefined, payload: undefined }
  const result = schema.safeParse(reply.body)
  const contentType = jsonTypes[operation.surface]
  if (!result.success) {
    if (strict) throw new Error(`${operation.id} answers what it does not declare: ${result.error.message}`)
    log.error({ operation: operation.id, issues: result.error.issues.length }, 'an answer does not fit its declaration')
    return { status: reply.status, contentType, payload: JSON.stringify(reply.body) }
  }
  const payload = JSON.stringify(result.data)
  if (strict && payload.length !== JSON.stringify(reply.body).length) {
    throw new Error(`${operation.id} answers members that it does not declare`)
  }
  return { status: reply.status, contentType, payload }
}

/** Renders a failure for a surface. */
export function writeProblem(surface: Surface, failure: Problem, correlationId: string): Written {
  const { status } = failure.entry
  switch (surface) {
    case 'oauth':
      return { status, contentType: jsonTypes.oauth, payload: JSON.stringify(toOAuth(failure, correlationId)) }
    case 'page':
      return { status, contentType: 'text/html;charset=UTF-8', payload: errorPage(failure, correlationId) }
    case 'management':
    case 'flow':
      return { status, contentType: jsonTypes[surface], payload: JSON.stringify(toPingOne(failure, correlationId)) }
  }
}

/** Turns whatever was thrown into a failure that has an answer; what nobody foresaw is logged and becomes 500. */
export function toProblem(error: unknown, log: Logger, correlationId: string): Problem {
  if (error instanceof ProblemClass) return error
  // Stale: others changed the same thing each time it was judged anew. Nothing has happened, and later it may.
  if (error instanceof StorageUnavailable || error instanceof HashingOverloaded || error instanceof Stale) {
    log.warn({ err: error, correlationId }, 'not available')
    const seconds = error instanceof HashingOverloaded ? error.retryAfter : 1
    return problem('UNAVAILABLE', { headers: { 'retry-after': String(seconds) } })
  }
  const { code, statusCode } = error instanceof Error ? (error as { code?: unknown; statusCode?: unknown }) : {}
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return problem('TOO_LARGE')
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return problem('NOT_FOUND')
  if (code === 'ECONNRESET' || (isOfFastify(code) && isClientsFault(statusCode))) return problem('INVALID_REQUEST')
  log.error({ err: error, correlationId }, 'unexpected error')
  return problem('UNEXPECTED_ERROR')
}

function isOfFastify(code: unknown): boolean {
  return typeof code === 'string' && code.startsWith('FST_ERR_')
}

function isClientsFault(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status < 500
}
