/**
 * PURE: what an identity provider's attributes make of a user. platform-api 3.13; rows M17, M18.
 *
 * Never: something written over a value that is there, unless the mapping says so; an address that counts as verified
 * because a provider says so of a domain that is not its own.
 */
import type { IdentityProvider } from '../environment/identity-provider.ts'
import type { ExternalAuthentication } from '../flow/external-authentication.ts'
import type { User, UserDocument } from './users.ts'

/** The part of a user that attributes describe. */
export type Described = Pick<User, 'username' | 'document'>

/** Whether a provider is the authority for an address that it has verified. */
export function isAuthoritative(provider: Pick<IdentityProvider, 'document'>, email: ExternalAuthentication['email']) {
  if (!email?.verified) return false
  const domain = email.address.slice(email.address.lastIndexOf('@') + 1).toLowerCase()
  return (provider.document.trustedEmailDomains ?? []).includes(domain)
}

/** A new user, as the provider describes them; undefined where it names none. */
export function describedBy(
  provider: Pick<IdentityProvider, 'document'>,
  { attributes, email }: ExternalAuthentication,
): Described | undefined {
  const username = attributes.find(({ name }) => name === 'username')?.value
  if (username === undefined) return undefined
  const document = attributes.reduce<UserDocument>((made, { name, value }) => withValue(made, name, value), {})
  if (document.email === undefined) return { username, document }
  const emailVerified = document.email === email?.address && isAuthoritative(provider, email)
  return { username, document: { ...document, emailVerified } }
}

/** A user brought up to date: what is empty is filled, and what is mapped ALWAYS follows the provider. */
export function updatedBy(
  present: Described,
  provider: Pick<IdentityProvider, 'document'>,
  { attributes, email }: ExternalAuthentication,
): Described {
  let { username, document } = present
  for (const { name, value, update } of attributes) {
    if (name === 'username') {
      if (update === 'ALWAYS') username = value
    } else if (update === 'ALWAYS' || valueOf(document, name) === undefined) {
      document = withValue(document, name, value)
    }
  }
  if (document.email !== present.document.email) {
    const emailVerified = document.email === email?.address && isAuthoritative(provider, email)
    document = { ...document, emailVerified }
  }
  return { username, document }
}

function valueOf(document: UserDocument, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, member) => (value as Readonly<Record<string, unknown>> | undefined)?.[member], document)
}

/** The document with a value at a path of one or two members. */
function withValue(document: UserDocument, path: string, value: string): UserDocument {
  const [name = '', part] = path.split('.')
  if (name === 'username') return document
  if (part === undefined) return { ...document, [name]: value }
  const whole = (document as Readonly<Record<string, object | undefined>>)[name]
  return { ...document, [name]: { ...whole, [part]: value } }
}
