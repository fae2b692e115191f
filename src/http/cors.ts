/**
 * Cross-origin answers (decision D12, authentication-api 1.6). A preflight is answered without touching storage; the
 * real request enforces (`flow-runtime/application-origin.ts`): its answer is readable with credentials only after the
 * application's list has allowed the origin. `*` never goes with credentials. What a request is refused for by its own form
 * alone (its method, size or media type) tells nothing else, and any origin that an application could list may read it.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Operation } from '../contract/operation.ts'
import { exposedHeaders } from '../flow-runtime/application-origin.ts'

/**
 * What clients send (authentication-api 1.6) as far as browsers let a page set it, and the marks of PingOne's own SDKs and of
 * clients of the Model Context Protocol.
 */
const allowedHeaders = [
  'Accept',
  'Accept-Language',
  'Authorization',
  'Content-Language',
  'Content-Type',
  'Correlation-Id',
  'DPoP',
  'MCP-Protocol-Version',
  'OAuth-Client-Attestation',
  'OAuth-Client-Attestation-PoP',
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
  'access-control-expose-headers': exposedHeaders,
} as const

/**
 * The headers by which a page can read a refusal from before any operation was chosen: 405, 413, 415, and the 401 of what
 * is no action of a flow. No application is known by then, and nothing in the answer depends on who asks.
 * @param operations those of the path
 */
export function unjudged(
  operations: readonly Operation[],
  method: string,
  { origin }: IncomingHttpHeaders,
): Record<string, string> {
  const operation = operations.find((candidate) => candidate.method === method) ?? operations[0]
  switch (operation?.cors) {
    case 'any':
      return anyOrigin
    case 'application':
      return origin !== undefined && URL.parse(origin)?.origin === origin
        ? {
            ...anyOrigin,
            'access-control-allow-origin': origin,
            'access-control-allow-credentials': 'true',
            vary: 'Origin',
          }
        : { vary: 'Origin' }
    case 'none':
    case undefined:
      return {}
  }
}
