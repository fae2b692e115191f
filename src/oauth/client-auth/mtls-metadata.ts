/**
 * Where clients with certificates find the endpoints: `mtls_endpoint_aliases`, RFC 8705 section 5. Whatever endpoint a
 * client calls itself, without a browser, is there under the other origin too.
 */
import { z } from 'zod'
import type { Site } from '../../site.ts'

/** Endpoints that a browser is sent to. */
const ofBrowsers = ['authorization_endpoint', 'end_session_endpoint', 'ping_end_idp_session_endpoint']

export const mtlsAliases = { mtls_endpoint_aliases: z.record(z.string(), z.string()).optional() }

/** The aliases of the endpoints of a document; none where there is no such origin. */
export function mtlsAliasesOf(
  document: Readonly<Record<string, unknown>>,
  { issuer, mtlsBase }: Site,
): { readonly mtls_endpoint_aliases?: Readonly<Record<string, string>> } {
  if (mtlsBase === undefined || mtlsBase === issuer) return {}
  const endpoints = Object.entries(document).flatMap(([name, address]) => {
    const isForClients = name.endsWith('_endpoint') && !ofBrowsers.includes(name)
    return isForClients && typeof address === 'string' && address.startsWith(`${issuer}/`)
      ? [[name, mtlsBase + address.slice(issuer.length)] as const]
      : []
  })
  return { mtls_endpoint_aliases: Object.fromEntries(endpoints) }
}
