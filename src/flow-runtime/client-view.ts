/**
 * What users are told of the application they sign on to, beside its name: where its policies are and, of one that has
 * registered itself, whom it can be held to. Rows A22, H08, H14; RFC 9700 section 4.11.2, RFC 8252 section 8.6.
 *
 * Never: a name in the place of a host: a client calls itself what it likes.
 */
import type { Application } from '../environment/application.ts'
import type { Site } from '../site.ts'

/** The application, as its users are told of it. */
export interface ClientView {
  readonly policyUri?: string | undefined
  readonly tosUri?: string | undefined
  /** Its picture, served here. */
  readonly logo?: string | undefined
  /** There when nobody here has verified it. */
  readonly unverified?: Unverified | undefined
}

/** What is known of an application that has registered itself. */
export interface Unverified {
  /** The host of the document that describes it, where its client id is the address of one. */
  readonly clientHost?: string | undefined
  /** The host that its users are sent on to; null: an application on their own device; undefined: they are not sent on. */
  readonly returnHost: string | null | undefined
}

/**
 * Makes the view.
 * @param redirectUri where the answer of the request goes; undefined: to whoever polls for it, elsewhere
 */
export function clientView(site: Site, application: Application, redirectUri: string | null | undefined): ClientView {
  const { registration, policyUri, tosUri, icon } = application.document
  if (!registration) return { policyUri, tosUri }
  return {
    policyUri,
    tosUri,
    logo: icon && `${site.issuer}/logo/${application.id}`,
    unverified: {
      clientHost: registration.clientUri && URL.parse(registration.clientUri)?.host,
      returnHost: redirectUri && returnHostOf(redirectUri),
    },
  }
}

/** The host of a redirect URI; null for one that stays on the device: a loopback host, or a scheme of its own. */
export function returnHostOf(redirectUri: string): string | null {
  const address = URL.parse(redirectUri)
  return address?.protocol === 'https:' ? address.host : null
}
