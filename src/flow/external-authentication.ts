/**
 * A sign-on at an identity provider as flows know it: authentication-api 3.5. What the provider answered was verified
 * before (external/); here it is plain data, to be judged and, while the person is asked something, to be kept.
 *
 * Never: a token of the provider (row M20); an attribute that no administrator mapped (row M17).
 */
import { z } from 'zod'
import type { FlowConfiguration } from './configuration.ts'
import type { FlowIdentityProvider, MappedAttribute } from './identity-provider.ts'

/** Somebody who came back. Identity is provider and subject together (row M25). */
export const externalAuthentication = z.strictObject({
  providerId: z.string(),
  subject: z.string(),
  email: z.strictObject({ address: z.string(), verified: z.boolean() }).nullable(),
  attributes: z.array(
    z.strictObject({ name: z.string(), value: z.string(), update: z.enum(['EMPTY_ONLY', 'ALWAYS']) }),
  ),
})

export type ExternalAuthentication = Readonly<z.infer<typeof externalAuthentication>>

/** What an action asks of a provider beside who somebody is. */
export interface ProviderRequest {
  readonly acrValues: string | null
  /** Tell the provider whom the flow is about. */
  readonly passesUser: boolean
}

/** The providers among `ids` that may be used now, in their order: what is disabled or gone is not (row M14). */
export function usableProviders(
  configuration: FlowConfiguration | undefined,
  ids: readonly string[],
): readonly FlowIdentityProvider[] {
  return ids.flatMap((id) => {
    const provider = configuration?.identityProviders.get(id)
    return provider?.enabled ? [provider] : []
  })
}

/** What people may say instead of what their provider said. */
export type Confirmed = Readonly<Record<string, unknown>>

/**
 * What somebody makes of what their provider said: only attributes that it did say. A changed address is not the one the
 * provider verified.
 */
export function confirmedBy(said: ExternalAuthentication, confirmed: Confirmed): ExternalAuthentication {
  const attributes = said.attributes.map((attribute): MappedAttribute => {
    const value = valueAt(confirmed, attribute.name)
    return value === undefined ? attribute : { ...attribute, value }
  })
  const address = attributes.find(({ name }) => name === 'email')?.value
  const isSame = said.email === null || address === undefined || address === said.email.address
  return { ...said, attributes, email: isSame ? said.email : { address, verified: false } }
}

function valueAt(confirmed: Confirmed, path: string): string | undefined {
  const [name = '', part] = path.split('.')
  const value = memberOf(confirmed, name)
  const found = part === undefined ? value : memberOf(value, part)
  return typeof found === 'string' ? found : undefined
}

function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isObject ? (value as Confirmed)[name] : undefined
}
