/**
 * The language every HTTP operation is written in. One declaration gives routing (method, path, media type), validation
 * in both directions, types, permission, OpenAPI, reference docs and the audit event (third law of the house).
 *
 * Never: an operation described a second time by hand, or a handler mounted without its declaration.
 */
import type { X509Certificate } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import type { Actor } from '../access/actor.ts'
import type { Environment } from '../environment/snapshot.ts'
import type { CatalogKey } from '../errors/catalog.ts'
import type { EventAction } from '../events/catalog.ts'
import type { EventDescription } from '../events/record.ts'
import type { Kernel } from '../kernel.ts'
import type { PermissionId } from '../access/permissions.ts'
import type { Site } from '../site.ts'
import type { FormParameters } from './form.ts'
import type { Statement } from '../storage/port.ts'

/** Which protocol an operation speaks: how its failures look, how large its bodies may be, who may call it from a browser. */
export type Surface = 'management' | 'oauth' | 'flow' | 'page'

/** Who may call an operation. Closed: an operation without a permission does not compile. */
export type Permission =
  /** Anybody; the handler authenticates by its own protocol (client, cookie, form). */
  | { readonly kind: 'public' }
  /** Any valid access token of the platform's audience; the handler answers only what the actor may see. */
  | { readonly kind: 'bearer' }
  /**
   * A role permission such as `users:read:user`, held at the organization, at the environment of the path or, where
   * `population` says so, at a population of it: then the handler checks the population of each object it touches.
   * `self` names the scope by which a user may do this to their own object (`{userId}` of the path). `recent`: who does it to
   * themselves has to have authenticated lately (access/recent-authentication.ts).
   */
  | {
      readonly kind: 'role'
      readonly permission: PermissionId
      readonly population?: true
      readonly self?: string
      readonly recent?: true
      /** Only an application may, by a token of its own; that of a user is no token here (401), whatever roles they hold. */
      readonly applicationOnly?: true
    }

/** The certificate whose key a caller holds, and what it has sent to show who issued it. Nothing of it is verified yet. */
export interface ClientCertificate {
  readonly certificate: X509Certificate
  readonly chain: readonly X509Certificate[]
}

/** What a handler gets beside its input. */
export interface Context {
  readonly kernel: Kernel
  /** Epoch milliseconds at which the request was taken up; one moment for the whole request. */
  readonly now: number
  readonly correlationId: string
  /** The trusted address of the caller (row O24). */
  readonly remoteAddress: string
  readonly headers: IncomingHttpHeaders
  /** The certificate of the caller, if it has one. */
  readonly certificate: ClientCertificate | undefined
  readonly method: string
  /** Path and query as received, for `_links.self`. */
  readonly target: string
  /** The canonical media type of the body, if any. */
  readonly mediaType: string | undefined
  /** Whoever the bearer token names; `anonymous` where the permission is public. */
  readonly actor: Actor
  /** The environment of the path. Throws for operations without one. */
  readonly environment: Environment
  readonly site: Site
  /** Headers that go out with the answer, whether it succeeds or fails. */
  readonly answer: Record<string, string | string[]>
  /**
   * The statement that writes the audit event of this operation (its declared `event` unless `action` says otherwise),
   * to be yielded inside the unit of the change.
   */
  readonly record: (event: Omit<EventDescription, 'action'> & { readonly action?: EventAction }) => Statement<object>
}

/** What a handler answers: JSON in `body`, or one of the others in its place. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly html?: string
  /** Text of another type, such as a style sheet. */
  readonly text?: { readonly contentType: string; readonly content: string }
  /** Bytes, such as a picture. */
  readonly file?: { readonly contentType: string; readonly content: Buffer }
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/**
 * What a body may be. A form reaches the handler as `FormParameters`, since each OAuth endpoint answers repeated names
 * in its own way (decision D11); its schema documents the parameters. JSON that is judged by the handler reaches it as
 * parsed: on a flow, only the application can say which browsers may read what is wrong with it (decision D12).
 */
export type Body<B> =
  | { readonly kind: 'json'; readonly schema: z.ZodType<B>; readonly judgedBy?: never }
  | { readonly kind: 'json'; readonly schema: z.ZodType; readonly judgedBy: 'handler'; readonly parsed?: B }
  | { readonly kind: 'form'; readonly schema: z.ZodType; readonly parameters?: B }

/** A form body whose parameters are described by `schema`. */
export function formBody(schema: z.ZodType): Body<FormParameters> {
  return { kind: 'form', schema }
}

/** The validated input of a handler. */
export interface Input<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
}

/** A declaration with its types erased, as routing and OpenAPI see it. */
export interface Operation {
  /** Unique, camelCase; the `operationId` of the OpenAPI document. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces: `/v1/environments/{environmentId}`. */
  readonly path: string
  /** Further paths that mean the same (first-edition aliases). */
  readonly aliases?: readonly string[]
  readonly surface: Surface
  readonly tag: string
  readonly summary: string
  /** Where it is described: document and section. */
  readonly source: string
  /** Marked in the reference as not part of PingOne's API (decision D24). */
  readonly extension?: true
  readonly permission: Permission
  /** Which browsers may read the answer: any (without credentials), those of the application, or none of a foreign origin. */
  readonly cors: 'any' | 'application' | 'none'
  /** Media types that select this operation; each matches with and without `+json`. Default: JSON or form by its body. */
  readonly mediaTypes?: readonly string[]
  readonly params: z.ZodObject | undefined
  readonly query: z.ZodObject | undefined
  readonly body: Body<unknown> | undefined
  /** Answers even when this node's configuration is stale (decision D23: discovery, JWKS). */
  readonly servesWhenStale?: true
  /** Status -> schema of the JSON body, or null where there is none (or a page). */
  readonly replies: Readonly<Record<number, z.ZodType | null>>
  /** Catalogue rows it may answer with, beside those every operation has. */
  readonly errors: readonly CatalogKey[]
  /** The audit event that the unit of its change writes. */
  readonly event?: EventAction
  readonly handle: (input: Input<never, never, never>, context: Context) => Promise<Reply> | Reply
}

/** The declaration of an operation, typed by its schemas. */
export interface Declaration<P extends z.ZodObject, Q extends z.ZodObject, B = undefined>
  extends Omit<Operation, 'params' | 'query' | 'body' | 'handle'> {
  readonly params?: P
  readonly query?: Q
  readonly body?: Body<B>
  readonly handle: (input: Input<z.output<P>, z.output<Q>, B>, context: Context) => Promise<Reply> | Reply
}

/**
 * Declares an operation.
 *
 * ```ts
 * export const readPopulation = defineOperation({
 *   id: 'readPopulation', method: 'GET', path: '/v1/environments/{environmentId}/populations/{populationId}',
 *   …, replies: { 200: population }, errors: ['NOT_FOUND'],
 *   async handle({ params }, context) { … return { status: 200, body } },
 * })
 * ```
 */
export function defineOperation<P extends z.ZodObject, Q extends z.ZodObject, B = undefined>(
  declaration: Declaration<P, Q, B>,
): Operation {
  return { params: undefined, query: undefined, body: undefined, ...declaration }
}
