/**
 * What the demo environment consists of, and how it is told in quickstart.json: its parts by their ids, everything else by
 * where the node is reached.
 */
import type { Origins } from '../site.ts'
import type { Quickstart } from './quickstart.ts'

/** The names by which its parts are found again. */
export const demoNames = {
  environment: 'Demo',
  population: 'Default',
  user: { username: 'demo', name: { given: 'Dora', family: 'Demo' } },
  mfaUser: { username: 'demo-mfa', name: { given: 'Max', family: 'Factor' } },
  singlePageApp: 'Demo single-page application',
  webApp: 'Demo web application',
  nativeApp: 'Demo native application',
  mfaApp: 'Demo application with a second factor',
} as const

/** Its applications, by what quickstart.json calls them. */
export const demoApplications = ['singlePageApp', 'webApp', 'nativeApp', 'mfaApp'] as const
export type DemoApplication = (typeof demoApplications)[number]

/** Its parts. */
export interface DemoParts
  extends Pick<Quickstart, 'organizationId' | 'environmentId' | 'populationId' | 'worker' | 'user' | 'mfaUser'> {
  readonly clientIds: Readonly<Record<DemoApplication, string>>
  readonly webAppSecret: string
}

/** Where an application wants its answers: at the demo application of this node; a native one by itself. */
export function demoRedirectUri({ authUrl }: Origins, name: DemoApplication, clientId: string): string {
  return name === 'nativeApp' ? 'http://127.0.0.1/callback' : `${authUrl}/dev/app/${clientId}/callback`
}

/** What quickstart.json says. */
export function quickstartOf(origins: Origins, { clientIds, webAppSecret, ...parts }: DemoParts): Quickstart {
  const { authUrl, apiUrl } = origins
  const issuer = `${authUrl}/${parts.environmentId}/as`
  const application = (name: DemoApplication) => {
    const clientId = clientIds[name]
    return { clientId, redirectUri: demoRedirectUri(origins, name, clientId) }
  }
  return {
    authUrl,
    apiUrl,
    organizationId: parts.organizationId,
    environmentId: parts.environmentId,
    populationId: parts.populationId,
    issuer,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    inboxUrl: `${authUrl}/dev/inbox`,
    worker: parts.worker,
    singlePageApp: application('singlePageApp'),
    webApp: { ...application('webApp'), clientSecret: webAppSecret },
    nativeApp: application('nativeApp'),
    mfaApp: application('mfaApp'),
    user: parts.user,
    mfaUser: parts.mfaUser,
  }
}
