/**
 * The media types a flow accepts, as a closed table made from the actions, and the door their bodies come through:
 * validated, and parted into what the machine may see and what it may not. authentication-api 4.0, 4.1; decision D5.
 *
 * Never: a secret in a request handed to the machine; a member the media type does not name.
 */
import type { z } from 'zod'
import {
  type ActionRequest,
  type ActionStatus,
  type AnyAction,
  type MediaType,
  everyAction,
  mediaTypeNames,
} from './actions/index.ts'
import { detailsOf } from './detail.ts'
import { type Refusal, malformedBody, notAnObject } from './refusal.ts'
import { isSecret } from './secret.ts'

/** What there is to know of a media type before any flow exists. */
export interface MediaTypeDescription {
  /** The name inside `application/vnd.pingidentity.<name>+json`; also the link relation. */
  readonly name: MediaType
  readonly body: z.ZodObject
  /** Members of the body that are cut out. */
  readonly secrets: readonly string[]
  /** Statuses in which some action accepts it. */
  readonly statuses: readonly ActionStatus[]
}

const table: ReadonlyMap<MediaType, MediaTypeDescription> = new Map(
  mediaTypeNames.flatMap((name) => {
    const accepting = (everyAction as readonly AnyAction[]).flatMap((action) => action.accepts[name] ?? [])
    const [first] = accepting
    if (!first) return []
    const secrets = Object.entries(first.body.shape)
      .filter(([, schema]) => isSecret(schema as z.ZodType))
      .map(([member]) => member)
    return [[name, { name, body: first.body, secrets, statuses: [...new Set(accepting.flatMap((a) => a.in))] }]]
  }),
)

/** Every media type, for routing, the contract and the docs. */
export function mediaTypes(): readonly MediaTypeDescription[] {
  return [...table.values()]
}

/** A request that came through the door. */
export interface ReadRequest {
  /** For the machine. */
  readonly request: ActionRequest
  /** For whoever answers the machine's question; nobody else. */
  readonly secrets: Readonly<Record<string, string>>
}

/**
 * Reads the body of a request to act on a flow.
 * @param name the media type, already known to be one
 * @param json the parsed body
 * @returns the request and its secrets, or the refusal (400 INVALID_DATA naming each member, INVALID_REQUEST otherwise)
 */
export function readRequest(name: MediaType, json: unknown): ReadRequest | { readonly refusal: Refusal } {
  const description = table.get(name)
  if (!description || typeof json !== 'object' || json === null || Array.isArray(json)) return { refusal: notAnObject }
  const parsed = description.body.safeParse(json)
  if (!parsed.success) return { refusal: malformedBody(detailsOf(parsed.error)) }
  const secrets: Record<string, string> = {}
  const body: Record<string, unknown> = {}
  for (const [member, value] of Object.entries(parsed.data)) {
    if (description.secrets.includes(member)) secrets[member] = String(value)
    else body[member] = value
  }
  return { request: { type: name, body } as ActionRequest, secrets }
}
