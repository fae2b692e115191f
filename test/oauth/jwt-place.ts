/** What a place is that takes a JWT from outside, and how its answers are told apart. */
import type { Answer } from '../harness/stile.ts'
import type { JwtSigner } from './jwt-forging.ts'

/** A place. */
export interface JwtPlace {
  readonly name: string
  /** The kind of what it takes; places of one kind take the same. */
  readonly kind: string
  /** Other kinds that it takes as well. */
  readonly takes?: readonly string[]
  readonly signer: JwtSigner
  readonly audience?: unknown
  make(): Promise<string>
  /** Presents a JWT. @param good the one that forgeries are made of */
  send(jwt: string, good: string): Promise<Answer>
  /** Where each attempt has a JWT of its own: presents a forgery of it. */
  readonly attempt?: (forge: (good: string) => string) => Promise<Answer>
  isTaken(answer: Answer): boolean
  /** How a forgery is refused, as `outcomeOf` tells it. */
  readonly refusal: RegExp
  /** Forgeries that are none here, and why. */
  readonly goodHere: readonly (readonly [RegExp, string])[]
}

/** What an answer says: its status, and its error wherever that stands. */
export function outcomeOf({ status, headers, json, text }: Answer): string {
  const { searchParams } = new URL(headers.get('location') ?? 'https://none.test')
  const told = searchParams.get('error') ?? json?.error ?? json?.code
  const challenge = /error="([a-z_]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1]
  return [
    status,
    typeof told === 'string' ? told : (challenge ?? (text === '{"active":false}' ? 'inactive' : '')),
  ].join(' ')
}

/** Nobody but this server can sign these; what it has signed is believed as it is. */
export const ours = [
  [/^claims twice$/, 'nobody else has the key'],
  [/^claims: exp far$/, 'how long it lives is ours to say'],
  [/^claims: aud /, 'whom it is for is ours to say'],
] as const
export const mayBeOver = [/^claims: exp past$/, 'it may have expired'] as const
export const oneKey = [/^kid .*, by the right key$/, 'there is one key, which no name tells from others'] as const
export const lifeByIat = [/^claims: exp (far|missing)$/, 'its life goes by iat'] as const
export const noAudience = [/^claims: aud /, 'it has none'] as const
export const noIssuer = [/^claims: iss /, 'it has none'] as const
