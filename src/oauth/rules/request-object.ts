/**
 * What a request object says: the claims that vouch for it and the parameters that it holds. RFC 9101 sections 4 and 10.8,
 * OpenID Connect Core section 6.1, authentication-api 2.14; rows C16-C18.
 *
 * Never: a parameter of a kind that the same parameter could not have in a query; a reference inside; an assertion of the
 * client taken for one.
 */
import { z } from 'zod'
import { clockSkew } from './client-jwt-claims.ts'

/** What is expected of a request object. */
export interface RequestObjectExpectations {
  readonly clientId: string
  /** The `aud` that names this server. */
  readonly issuer: string
  /** Whether it has a signature, and so has to say who made it for whom. */
  readonly isSigned: boolean
  /** Whether the application demands such objects: then none may live without end. */
  readonly isDemanded: boolean
  /** Whether it keeps FAPI 2.0 Message Signing: then none may live without a beginning (section 5.3.1, 3 and 4). */
  readonly isProfiled: boolean
  /** Epoch milliseconds. */
  readonly now: number
}

/** The longest life of an object that is demanded, and of one that counts once, in seconds. */
const longestLife = 3600
const longestOneTimeLife = 86_400

type Claims = Readonly<Record<string, unknown>>

/** What is wrong with the claims that vouch for an object; undefined when nothing is. */
export function requestObjectProblem(claims: Claims, expectations: RequestObjectExpectations): string | undefined {
  const { clientId, issuer, isSigned } = expectations
  const { iss, aud, sub, client_id: named } = claims
  if ((isSigned || iss !== undefined) && iss !== clientId) return 'iss is not the client'
  if (named !== undefined && named !== clientId) return 'client_id is not the client'
  // What names the client as its subject is an assertion (RFC 9101 section 10.8).
  if (sub === clientId) return 'sub is the client'
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if ((isSigned || aud !== undefined) && !audiences.includes(issuer)) return 'aud is not this server'
  return timeProblem(claims, expectations) ?? oneTimeProblem(claims, expectations)
}

function timeProblem({ exp, iat, nbf }: Claims, expectations: RequestObjectExpectations): string | undefined {
  const { isDemanded, isProfiled, now: present } = expectations
  const now = Math.floor(present / 1000)
  const times = [exp, iat, nbf].filter((time) => time !== undefined)
  if (!times.every(isTime)) return 'exp, iat or nbf is no time'
  if (isTime(exp) && exp <= now - clockSkew) return 'it has expired'
  if ([iat, nbf].some((time) => isTime(time) && time > now + clockSkew)) return 'it is not valid yet'
  if (!isDemanded) return undefined
  if (!isTime(exp)) return 'exp is missing'
  if (exp > now + longestLife + clockSkew) return 'exp is too far ahead'
  if (isProfiled && !isTime(nbf)) return 'nbf is missing'
  if (isProfiled && isTime(nbf) && exp > nbf + longestLife) return 'exp is too long after nbf'
  return isTime(nbf) && nbf < now - longestLife - clockSkew ? 'nbf is too long ago' : undefined
}

function oneTimeProblem({ jti, exp }: Claims, { now }: RequestObjectExpectations): string | undefined {
  if (jti === undefined) return undefined
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'jti is no short text'
  return isTime(exp) && exp <= now / 1000 + longestOneTimeLife ? undefined : 'jti needs an exp within a day'
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** What only a signed object may say, beside the parameters (authentication-api 2.14). */
export interface TransactionContext {
  /** The address of the user's browser or device, where the client asks in its place. */
  readonly remoteIp?: string
  /** What the user is told of the transaction that they approve. */
  readonly template?: TransactionTemplate
  /** What the app of the user is told beside that; nobody here reads it. */
  readonly clientContext?: ClientContext
}

/** An object of JSON, as it came. */
export type ClientContext = Readonly<z.output<typeof clientContext>>

/** A notification template with what it is filled with. */
export interface TransactionTemplate {
  readonly name: 'transaction' | 'strong_authentication'
  readonly variant?: string | undefined
  readonly variables: Readonly<Record<string, string>>
}

/** The parameters of an object. */
export interface ObjectParameters {
  readonly values: Readonly<Record<string, string>>
  /** Undefined where it names none. */
  readonly resources: readonly string[] | undefined
  readonly transaction: TransactionContext
}

/** Claims that vouch for the object and are no parameters. */
const vouching = ['iss', 'aud', 'sub', 'exp', 'iat', 'nbf', 'jti', 'client_id']
/** Parameters that a query holds as JSON. */
const structured = ['claims', 'authorization_details']
const longestValue = 16_384
const name = /^[A-Za-z0-9_.:-]{1,100}$/
const address = z.union([z.ipv4(), z.ipv6()])
const longestContext = 4096
const clientContext = z
  .record(z.string().max(100), z.json())
  .refine((context) => JSON.stringify(context).length <= longestContext)
const template = z.object({
  name: z.enum(['transaction', 'strong_authentication']),
  variant: z.string().min(1).max(100).optional(),
  variables: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]{0,63}$/), z.string().max(256))
    .default({})
    .refine((variables) => Object.keys(variables).length <= 20),
})

/**
 * Reads the parameters of an object; what nobody has defined is passed over.
 * @param known the names of the parameters that there are
 */
export function parametersIn(
  claims: Claims,
  known: readonly string[],
  isSigned: boolean,
): ObjectParameters | { readonly refused: string } {
  const values: Record<string, string> = {}
  for (const [claim, value] of Object.entries(claims)) {
    if (claim === 'request' || claim === 'request_uri') return { refused: `${claim} has no place in a request object` }
    if (vouching.includes(claim) || claim === 'resource' || !known.includes(claim) || !name.test(claim)) continue
    const text = textOf(claim, value)
    if (text === undefined) return { refused: `${claim} is of another kind` }
    if (text !== '') values[claim] = text
  }
  const resources = resourcesIn(claims['resource'])
  if (resources === null) return { refused: 'resource is of another kind' }
  const transaction = transactionIn(claims, isSigned)
  return 'refused' in transaction ? transaction : { values, resources, transaction }
}

function textOf(claim: string, value: unknown): string | undefined {
  const text = plainText(claim, value)
  return text === undefined || text.length > longestValue || text.includes('\u0000') || !text.isWellFormed()
    ? undefined
    : text
}

function plainText(claim: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return structured.includes(claim) && typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined
}

function resourcesIn(value: unknown): readonly string[] | undefined | null {
  if (value === undefined) return undefined
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every((each) => typeof each === 'string') ? list : null
}

function transactionIn(claims: Claims, isSigned: boolean): TransactionContext | { readonly refused: string } {
  const { 'pi.remoteIp': remoteIp, 'pi.template': text, 'pi.clientContext': context } = claims
  const ip = address.optional().safeParse(remoteIp)
  const said = template.optional().safeParse(text)
  const forApp = clientContext.optional().safeParse(context)
  if (!ip.success) return { refused: 'pi.remoteIp is no address' }
  if (!said.success) return { refused: 'pi.template is not as it should be' }
  if (!forApp.success) return { refused: 'pi.clientContext is no object, or too large' }
  if (!isSigned && [remoteIp, text, context].some((each) => each !== undefined))
    return { refused: 'what begins with pi. needs a signature' }
  return {
    ...(ip.data ? { remoteIp: ip.data } : {}),
    ...(said.data ? { template: said.data } : {}),
    ...(forApp.data ? { clientContext: forApp.data } : {}),
  }
}
