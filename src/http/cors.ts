/**
 * Cross-origin answers (decision D12, authentication-api 1.6). A preflight is answered without touching storage; the
 * real request enforces (`flow-runtime/application-origin.ts`): its answer is readable with credentials only after the
 * application's list has allowed the origin. `*` never goes with credentials.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Operation } from '../contract/operation.ts'

/** What clients send (authentication-api 1.6) as far as browsers let a page set it, and the marks of PingOne's own SDKs. */
const allowedHeaders = [
  'Accept',
  'Accept-Language',
  'Authorization',
  'Content-Language',
  'Content-Type',
  'Correlation-Id',
  'Origin-Cookies',
  'Range',
  'Referrer',
  'X-Amz-Date',
  'X-Amz-Security-Token',
  'X-Api-Key',
  'X-client-version',
  'X-Content-Type-Options',
  'X-Requested-With',
  'X-Ping-External-Transaction-ID',
  'X-Ping-External-Session-ID',
].join(', ')

/** The headers of a preflight answer, or undefined where no foreign origin may call. */
export function preflight(
  operations: readonly Operation[],
  headers: IncomingHttpHeaders,
): Record<string, string> | undefined {
  const { origin } = headers
  const method = headers['access-control-request-method']
  const operation = operations.find((candidate) => candidate.method === method)
  if (!origin || !operation || operation.cors === 'none') return undefined
  const common = {
    'access-control-allow-methods': [...new Set(operations.map((candidate) => candidate.method))].join(', '),
    'access-control-allow-headers': allowedHeaders,
    'access-control-max-age': '600',
    vary: 'Origin, Access-Control-Request-Method',
  }
  return operation.cors === 'any'
    ? { ...common, 'access-control-allow-origin': '*' }
    : { ...common, 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }
}

/** The headers by which any origin may read an answer, without credentials. */
export const anyOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Correlation-Id',
} as const
