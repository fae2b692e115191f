/**
 * Requests that come under the custom domain of an environment (authentication-api 1.3): the environment's id is in no path
 * there, and is put where the operations have it. Whatever is not the name of an active domain is the installation's own, so
 * that a Host header chooses among what is configured and never becomes part of an address (rows C08, G18).
 *
 * Never: another environment under the domain of one; the management API under any.
 */
import type { IncomingMessage } from 'node:http'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { CustomDomain } from '../environment/environments.ts'
import { certificateContext } from '../environment/custom-domain.ts'
import type { Kernel } from '../kernel.ts'
import { open } from '../keys/sealing.ts'
import { originsUnder } from '../site.ts'
import { customDomainOf } from '../storage/sql/custom-domains.ts'
import { tlsLimits } from './tls-limits.ts'

/** The custom domain that a Host header names. */
function domainOf({ environments }: Pick<Kernel, 'environments'>, host: string | undefined): CustomDomain | undefined {
  return host === undefined ? undefined : environments.customDomain(host)
}

const wellKnown = /^\/\.well-known\/(?:oauth-authorization-server|openid-configuration)(?=\/as(?:\?|$))/

/** The target of a request as the operations have it. */
export function targetUnderDomain(
  kernel: Pick<Kernel, 'environments'>,
  { headers, url = '' }: IncomingMessage,
): string {
  const domain = domainOf(kernel, headers.host)
  if (!domain || !url.startsWith('/')) return url
  const own = `/${domain.environmentId}`
  if (url.startsWith(`${own}/`)) return url
  const [document] = wellKnown.exec(url) ?? []
  return document === undefined ? own + url : document + own + url.slice(document.length)
}

/** The kernel as a request has it: with the origins that it came under. */
export function kernelUnderDomain(kernel: Kernel, host: string | undefined): Kernel {
  const domain = domainOf(kernel, host)
  if (!domain) return kernel
  const origins = originsUnder(kernel.origins, { id: domain.environmentId, customDomain: domain.domainName })
  return { ...kernel, origins }
}

/** Certificates of custom domains, for a server that ends TLS itself. */
export type ServerNames = (name: string, answer: (error: Error | null, context?: SecureContext) => void) => void

/** Answers the name that a TLS client says with the certificate of that domain; to any other, with the installation's. */
export function certificatesOfDomains(kernel: Pick<Kernel, 'environments' | 'storage'>): ServerNames {
  const contexts = new Map<
    string,
    { readonly of: CustomDomain; readonly context: Promise<SecureContext | undefined> }
  >()
  return (name, answer) => {
    const domain = domainOf(kernel, name)
    if (!domain) return answer(null)
    const known = contexts.get(domain.domainName)
    const isKnown = known?.of.environmentId === domain.environmentId && known.of.updatedAt === domain.updatedAt
    const context = isKnown ? known.context : secureContextOf(kernel, domain)
    contexts.set(domain.domainName, { of: domain, context })
    context.then(
      (found) => answer(null, found),
      (error: unknown) => {
        contexts.delete(domain.domainName)
        answer(error as Error)
      },
    )
  }
}

async function secureContextOf(
  { environments, storage }: Pick<Kernel, 'environments' | 'storage'>,
  { environmentId }: CustomDomain,
): Promise<SecureContext | undefined> {
  const environment = await environments.get(environmentId)
  const [row] = environment ? await storage.read(customDomainOf(environmentId)) : []
  if (!environment || !row?.certificate || !row.sealed_private_key) return undefined
  const key = open(environment.dataKey, row.sealed_private_key, certificateContext(environmentId, row.id))
  return createSecureContext({ cert: row.certificate, key, ...tlsLimits })
}
