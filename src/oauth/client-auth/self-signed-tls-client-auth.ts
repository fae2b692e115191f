/**
 * self_signed_tls_client_auth: the connection is authenticated by one of the certificates that the application has
 * registered, or publishes, in the `x5c` of its keys. RFC 8705 section 2.2.
 *
 * Never: a key without its certificate, or a certificate that is not in its time.
 */
import { isInTime } from '../../keys/client-certificate.ts'
import { clientKeySet, keysKept } from '../client-keys.ts'
import type { ClientCredentials } from './credentials.ts'
import { type ClientAuthMethod, proved } from './method.ts'

export const selfSignedTlsClientAuth: ClientAuthMethod<ClientCredentials & { readonly method: 'NONE' }> = {
  name: 'self_signed_tls_client_auth',
  registered: 'SELF_SIGNED_TLS_CLIENT_AUTH',
  async prove({ context, application }) {
    const certificate = context.certificate?.certificate
    if (!certificate || !isInTime(certificate, context.now)) return undefined
    const presented = certificate.raw.toString('base64')
    const isRegistered = async (maximumAge: number) => {
      const keys = await clientKeySet(context, application, maximumAge)
      return keys?.keys.some(({ x5c }) => Array.isArray(x5c) && x5c[0] === presented) === true
    }
    if (await isRegistered(keysKept)) return proved
    return application.document.jwksUrl !== undefined && (await isRegistered(0)) ? proved : undefined
  },
}
