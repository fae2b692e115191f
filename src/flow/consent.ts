/**
 * What an application wants to be granted, and what a user has granted before (extension; OpenID Connect Core 3.1.2.4).
 * Scopes are named by their ids: a scope of the same name in another resource is another one.
 */
import { z } from 'zod'

/** Something that is asked for in detail, as the user is shown it. */
export const consentDetail = z.strictObject({
  description: z.string(),
  lines: z.array(z.strictObject({ label: z.string(), value: z.string() })).readonly(),
})

export type ConsentDetail = Readonly<z.infer<typeof consentDetail>>

/** What the user has to grant before the request is answered. */
export const consentRequest = z.strictObject({
  scopeIds: z.array(z.string()),
  /** `prompt=consent`: what was granted before does not count. */
  isAsked: z.boolean(),
  /** What is asked for in detail (RFC 9396), in words. It is granted once, never remembered. */
  details: z.array(consentDetail).readonly().exactOptional(),
})

export type ConsentRequest = Readonly<z.infer<typeof consentRequest>>

/** The body of `oauth.consent`. */
export const consentBody = z.object({ accept: z.boolean() })

/** What a user has granted to the application. */
export interface ConsentFacts {
  readonly id: string
  readonly userId: string
  readonly scopeIds: readonly string[]
}

/** A scope as the user is shown it. */
export interface ScopeView {
  readonly name: string
  readonly description?: string
  readonly resource: { readonly name: string }
}

/** Whether everything asked for was granted before. */
export function covers({ scopeIds: granted }: ConsentFacts, { scopeIds }: ConsentRequest): boolean {
  return scopeIds.every((id) => granted.includes(id))
}
