/**
 * Response types and modes: what an authorization response holds and how it travels. OAuth 2.0 Multiple Response Type
 * Encoding Practices, Form Post Response Mode, JARM, RFC 9207 (`iss`), authentication-api 2.3-2.5.
 *
 * Never: a token in a query string, or a redirect to anything but the URI that was checked.
 */
import { z } from 'zod'
import type { Context, Reply } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import {
  contentEncryptionAlgorithms,
  keyEncryptionAlgorithms,
  responseAlgorithms,
} from '../../environment/application-tokens.ts'
import { defineMetadata } from '../metadata.ts'
import { formPost } from '../response-modes/form-post.ts'
import { formPostJwt } from '../response-modes/form-post-jwt.ts'
import { fragment } from '../response-modes/fragment.ts'
import { fragmentJwt } from '../response-modes/fragment-jwt.ts'
import { packed } from '../response-modes/jwt.ts'
import { query } from '../response-modes/query.ts'
import { queryJwt } from '../response-modes/query-jwt.ts'

/** The response types that exist, as the discovery document lists them. */
export const responseTypeNames = [
  'code',
  'token',
  'id_token',
  'token id_token',
  'code id_token',
  'code token',
  'code token id_token',
] as const

/** The response modes that exist. */
export const responseModeNames = [
  'pi.flow',
  'query',
  'fragment',
  'form_post',
  'jwt',
  'query.jwt',
  'fragment.jwt',
  'form_post.jwt',
] as const

export const responseMetadata = defineMetadata(
  {
    response_types_supported: z.array(z.string()),
    response_modes_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    authorization_response_iss_parameter_supported: z.boolean(),
    authorization_signing_alg_values_supported: z.array(z.string()),
    authorization_encryption_alg_values_supported: z.array(z.string()),
    authorization_encryption_enc_values_supported: z.array(z.string()),
  },
  ({ defaultKeyRotationPolicy }) => ({
    response_types_supported: [...responseTypeNames],
    response_modes_supported: [...responseModeNames],
    // A token in an authorization response is the implicit grant (RFC 6749 section 4.2).
    grant_types_supported: ['implicit'],
    authorization_response_iss_parameter_supported: true,
    // An application may have any; what it has by default comes first.
    authorization_signing_alg_values_supported: [
      ...new Set([defaultKeyRotationPolicy.algorithm, ...responseAlgorithms]),
    ],
    authorization_encryption_alg_values_supported: [...keyEncryptionAlgorithms],
    authorization_encryption_enc_values_supported: [...contentEncryptionAlgorithms],
  }),
)

/** What a request asks for. */
export interface ResponseType {
  readonly code: boolean
  readonly token: boolean
  readonly idToken: boolean
}

/** A mode as it is in effect: `jwt` has become one of the others. */
export type ResponseMode = Exclude<(typeof responseModeNames)[number], 'jwt'>

/** The parameters of a response, in the order they are written. */
export type ResponseParameters = Readonly<Record<string, string | number>>

const sortedWords = (text: string): string => text.split(' ').toSorted().join(' ')
const knownWords: ReadonlySet<string> = new Set(responseTypeNames.map(sortedWords))

/** Reads a `response_type`: its words in any order, each once. */
export function readResponseType(text: string): ResponseType | undefined {
  if (!knownWords.has(sortedWords(text))) return undefined
  const words = text.split(' ')
  return { code: words.includes('code'), token: words.includes('token'), idToken: words.includes('id_token') }
}

/** Whether a response type gives a code and nothing else. */
export function isCodeAlone(type: ResponseType | undefined): boolean {
  return type?.code === true && !type.token && !type.idToken
}

/** The mode a response type has when the request names none. */
export function defaultMode(type: ResponseType | undefined): 'query' | 'fragment' {
  return type && (type.token || type.idToken) ? 'fragment' : 'query'
}

/** Reads a `response_mode`; a query never carries tokens. */
export function readResponseMode(text: string | undefined, type: ResponseType | undefined): ResponseMode | undefined {
  const usual = defaultMode(type)
  if (text === undefined) return usual
  const mode = responseModeNames.find((name) => name === text)
  if (mode === 'jwt') return `${usual}.jwt`
  const isQuery = mode === 'query' || mode === 'query.jwt'
  return isQuery && usual === 'fragment' ? undefined : mode
}

/** Where and for whom a response is written. */
export interface Destination {
  readonly mode: Exclude<ResponseMode, 'pi.flow'>
  readonly redirectUri: string
  readonly client: Application
}

/**
 * Writes a response to the application's redirect URI.
 * @throws Problem invalid_request when it has to be encrypted and there is no key to encrypt to
 */
export async function redirectReply(
  context: Pick<Context, 'kernel' | 'environment' | 'site' | 'now'>,
  { mode, redirectUri, client }: Destination,
  parameters: ResponseParameters,
): Promise<Reply> {
  switch (mode) {
    case 'query':
      return query(redirectUri, parameters)
    case 'fragment':
      return fragment(redirectUri, parameters)
    case 'form_post':
      return formPost(redirectUri, parameters)
    case 'query.jwt':
      return queryJwt(redirectUri, await packed(context, client, parameters))
    case 'fragment.jwt':
      return fragmentJwt(redirectUri, await packed(context, client, parameters))
    case 'form_post.jwt':
      return formPostJwt(redirectUri, await packed(context, client, parameters))
  }
}
