/**
 * Which origin may read what the auth endpoints answer with cookies (decisions D2, D12; rows B22, I07, I08). A request
 * that a browser marks as foreign must come from an origin of the application; it is refused before anything runs.
 */
import type { Context } from '../contract/operation.ts'
import type { Application } from '../environment/application.ts'
import { problem } from '../errors/problem.ts'
import { pageOrigin } from '../site.ts'

/**
 * What of an answer pages may read beside its body: the nonce and the challenge tell them how to ask again (RFC 9449
 * section 8.2).
 */
export const exposedHeaders = 'Correlation-Id, DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate'

/**
 * Lets the application's origins read the answer, and refuses every other foreign one.
 * @throws Problem CROSS_SITE
 */
export function allowApplicationOrigin(context: Context, application: Application): void {
  allowOrigins(context, application.allowedOrigins)
}

const nobody: ReadonlySet<string> = new Set()

/**
 * The same for flows: those of a client that has registered itself are for the hosted pages alone.
 * @throws Problem CROSS_SITE
 */
export function allowFlowOrigin(context: Context, { allowedOrigins, document }: Application): void {
  allowOrigins(context, document.registration ? nobody : allowedOrigins)
}

function allowOrigins(context: Context, origins: ReadonlySet<string>): void {
  const { origin } = context.headers
  const own = pageOrigin(context.kernel.origins)
  if (origin !== undefined && origin !== own) {
    if (!origins.has(origin)) throw problem('CROSS_SITE')
    context.answer['access-control-allow-origin'] = origin
    context.answer['access-control-allow-credentials'] = 'true'
    context.answer['access-control-expose-headers'] = exposedHeaders
  } else if (origin === undefined && isForeignFetch(context)) {
    throw problem('CROSS_SITE')
  }
  context.answer['vary'] = 'Origin'
}

/**
 * Refuses a request that a browser marks as foreign, whatever the application allows: its own pages must not consent in
 * the place of the user.
 * @throws Problem CROSS_SITE
 */
export function requireOwnOrigin({ headers, kernel }: Context): void {
  const site = headers['sec-fetch-site']
  const isForeign =
    headers.origin === undefined
      ? site !== undefined && site !== 'same-origin' && site !== 'none'
      : headers.origin !== pageOrigin(kernel.origins)
  if (isForeign) throw problem('CROSS_SITE')
}

/** A cross-site request that is not a navigation: an image, a script, a fetch without an Origin header. */
function isForeignFetch(context: Context): boolean {
  return context.headers['sec-fetch-site'] === 'cross-site' && context.headers['sec-fetch-mode'] !== 'navigate'
}
