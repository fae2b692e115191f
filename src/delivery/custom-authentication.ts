/**
 * How a provider of one's own knows the sender: platform-api 3.18 (`authentication`) - Basic, a bearer token, an access
 * token got by client credentials (`OAUTH2`), or a header of its own. Rows G01, W08.
 *
 * Never: the secret in the document, it is sealed apart; a secret used for another account, or in another place, than
 * that it was given for.
 */
import type { BlockList } from 'node:net'
import { z } from 'zod'
import type { ClientCredentials } from '../external/client-tokens.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'

const secretText = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x20-\x7e]+$/)

/** Headers that are ours to write, or that say where a message ends. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'idempotency-key',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The name of a header that settings may hold (RFC 9110 section 5.6.2: a token). */
export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/)

/** Whether the server writes this header itself, so that settings must not. */
export function isOwnHeader(name: string): boolean {
  return ownHeaders.has(name.toLowerCase())
}

export const customAuthentication = z.discriminatedUnion('method', [
  z.object({
    method: z.literal('BASIC'),
    username: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[\x20-\x39\x3b-\x7e]+$/),
    password: secretText.optional(),
  }),
  z.object({ method: z.literal('BEARER'), authToken: secretText.optional() }),
  z.object({
    method: z.literal('OAUTH2'),
    authUrl: z.string().min(1).max(2048).describe('The token endpoint.'),
    clientId: secretText.max(256),
    clientSecret: secretText.optional(),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/))
      .max(50)
      .optional(),
  }),
  z.object({
    method: z.literal('CUSTOM_HEADER'),
    headerName: headerName.refine(
      (name) => !isOwnHeader(name) && !/^content-type$/i.test(name),
      'must not be a header that the server writes itself',
    ),
    headerValue: secretText.optional(),
  }),
])
export type CustomAuthentication = z.output<typeof customAuthentication>

/** The member that holds the secret of each method. */
const secretMembers = {
  BASIC: 'password',
  BEARER: 'authToken',
  OAUTH2: 'clientSecret',
  CUSTOM_HEADER: 'headerValue',
} as const satisfies Readonly<Record<CustomAuthentication['method'], string>>

/** Where settings hold the secret of their authentication. */
export function secretMember({ method }: CustomAuthentication): string {
  return `authentication.${secretMembers[method]}`
}

/** What is wrong with an authentication; undefined when nothing is. The member and a sentence. */
export function customAuthenticationProblem(
  authentication: CustomAuthentication,
  listed: BlockList | undefined,
): { readonly member: string; readonly message: string } | undefined {
  if (authentication.method !== 'OAUTH2') return undefined
  const message = outboundUrlProblem(authentication.authUrl, listed)
  return message === undefined ? undefined : { member: 'authentication.authUrl', message }
}

/** An authentication without its secret, and the secret. */
export function partedAuthentication(authentication: CustomAuthentication): {
  readonly authentication: CustomAuthentication
  readonly secret: string | undefined
} {
  switch (authentication.method) {
    case 'BASIC': {
      const { password, ...rest } = authentication
      return { authentication: rest, secret: password }
    }
    case 'BEARER': {
      const { authToken, ...rest } = authentication
      return { authentication: rest, secret: authToken }
    }
    case 'OAUTH2': {
      const { clientSecret, ...rest } = authentication
      return { authentication: rest, secret: clientSecret }
    }
    case 'CUSTOM_HEADER': {
      const { headerValue, ...rest } = authentication
      return { authentication: rest, secret: headerValue }
    }
  }
}

/** The reverse of `partedAuthentication`. */
export function wholeAuthentication(
  authentication: CustomAuthentication,
  secret: string | undefined,
): CustomAuthentication {
  return { ...authentication, [secretMembers[authentication.method]]: secret }
}

/**
 * Whom a secret belongs to: the account and every origin it is sent to. Settings for which this is the same may keep
 * the secret they have.
 * @param urls the addresses of the requests
 */
export function holderOfSecret(authentication: CustomAuthentication, urls: readonly string[]): string {
  const origins = urls.map((url) => new URL(url.replaceAll('${', '(')).origin)
  return JSON.stringify([[...new Set(origins)].toSorted(), partedAuthentication(authentication).authentication])
}

/** The client of an OAUTH2 authentication, as its authorization server knows it. */
export function clientOf(authentication: Extract<CustomAuthentication, { method: 'OAUTH2' }>): ClientCredentials {
  const { authUrl: tokenEndpoint, clientId, clientSecret = '', scopes = [] } = authentication
  return { tokenEndpoint, clientId, clientSecret, scopes }
}
