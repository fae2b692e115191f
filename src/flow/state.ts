/**
 * The state of a flow: everything the machine remembers between two requests, and its versioned text form. Decisions D2
 * (door), D3 (lifetime), D20 (policy versions); architecture sections 4 and 5.
 *
 * Never: a secret, a link, or anything that can be read from the directory when it is needed (it would grow stale).
 */
import { z } from 'zod'
import { type ActionType, everyAction, flowStatuses, type MediaType, mediaTypeNames } from './actions/index.ts'
import { backchannelRequest } from './backchannel.ts'
import { consentRequest } from './consent.ts'
import { deviceGrant } from './device-grant.ts'
import { type SessionFacts, sessionFacts } from './facts.ts'
import { failureSchema } from './failure.ts'
import { longestIdentifier } from './identifier.ts'
import { invitationRequest } from './invitation.ts'
import type { Json } from './json.ts'
import { outcomeSchema } from './outcome.ts'
import { proof } from './proof.ts'
import { waysToKnow } from './proven-user.ts'
import { keysOf, stepReasons, transitionReasons } from './reasons.ts'

/** Whatever `JSON.parse` gave; checked by whoever the value belongs to. */
const json = z.custom<Json>()
const identifier = z.string()
const time = z.int().describe('epoch milliseconds')

/** One step of the policy that is running, as last judged. Once REQUIRED it is never skipped again (D20). */
const stepSchema = z.strictObject({
  id: identifier,
  type: z.enum(everyAction.map(({ type }): ActionType => type)),
  standing: z.enum(['PENDING', 'SKIPPED', 'REQUIRED', 'SATISFIED']),
  reason: z.enum(keysOf(stepReasons)),
})

/**
 * What caused a transition: the flow's beginning, a media type, a way back from a provider, the answer of an
 * app, the passing of time, or resume.
 */
const traceEvents: readonly ('start' | 'external' | 'push' | 'lapse' | 'resume' | MediaType)[] = [
  'start',
  ...mediaTypeNames,
  'external',
  'push',
  'lapse',
  'resume',
]

/** One transition; `null` stands for "not placed": before the first one, and between a policy that failed and the next. */
const traceEntrySchema = z.strictObject({
  at: time,
  event: z.enum(traceEvents),
  reason: z.enum(keysOf(transitionReasons)),
  before: z.enum(flowStatuses).nullable(),
  after: z.enum(flowStatuses).nullable(),
  actionId: identifier.nullable(),
})

const recordSchema = z.strictObject({
  id: identifier,
  environmentId: identifier,
  createdAt: time,
  /** Slides with every accepted request, but never beyond `endsAt`. */
  expiresAt: time,
  endsAt: time,
  door: z.enum(['redirect', 'pi.flow', 'backchannel']),
  application: z.strictObject({ id: identifier }),
  request: z.strictObject({
    /** `prompt=login`: the session does not count. */
    forcesLogin: z.boolean(),
    /** `max_age` in seconds. */
    maxAge: z.int().min(0).nullable(),
    loginHint: z.string().nullable(),
    /** `id_token_hint`: nobody else may be signed on (OpenID Connect Core 3.1.2.1). */
    hintedUserId: identifier.nullable(),
    /** The application has signed that it means them (`login_hint_token`): the flow begins with them. */
    isVouched: z.literal(true).exactOptional(),
    /** What the user has to grant; absent where the application needs no consent. */
    consent: consentRequest.exactOptional(),
    /** The sign-on is for a device that waits elsewhere. */
    deviceGrant: deviceGrant.exactOptional(),
    /** The sign-on is for an application that waits elsewhere. */
    backchannel: backchannelRequest.exactOptional(),
    /** The sign-on is of somebody who was invited, and for no authorization request. */
    invitation: invitationRequest.exactOptional(),
    /** The validated authorization request, opaque here. */
    parameters: z.record(z.string(), json),
  }),
  /** The policies that may run, in order, each at its version when the flow began. */
  candidates: z.array(z.strictObject({ policyId: identifier, version: z.int() })),
  /** Index of the candidate that is running. */
  candidate: z.int().min(0),
  steps: z.array(stepSchema),
  /** The action that waits for the client, in the version of the policy it was entered from. */
  action: z.strictObject({ id: identifier, policyVersion: z.int() }).nullable(),
  /** What that action accepts now. */
  offers: z.array(z.enum(mediaTypeNames)),
  /** What that action remembers for itself. */
  slot: json,
  /** The browser's session when the flow began; kept even where it does not count, so that its id can be. */
  session: sessionFacts.nullable(),
  /** Whether that session may spare a step or name the user: not after `prompt=login` or `session.reset`, nor a stranger's. */
  sessionCounts: z.boolean(),
  /** The id of the session this flow opens if it cannot keep one. */
  newSessionId: identifier,
  /** Who this flow is about, and how it came to know. */
  user: z.strictObject({ id: identifier, knownBy: z.enum(waysToKnow) }).nullable(),
  /** What was typed to name the user. Where nobody has that name, `user` is null and the flow goes on all the same (D7). */
  identifier: z.string().max(longestIdentifier).nullable(),
  proofs: z.array(proof),
  status: z.enum(flowStatuses),
  /** What a COMPLETED flow came to. */
  outcome: outcomeSchema.nullable(),
  /** Why a FAILED flow failed. */
  failure: failureSchema.nullable(),
  /** Not the browser completed it: the session is written when the browser resumes, which gets its token then (D1). */
  signOnDue: z.literal(true).exactOptional(),
  resumedAt: time.nullable(),
  trace: z.array(traceEntrySchema),
})

const stateSchema = recordSchema.refine(
  ({ status, outcome, failure }) =>
    (status === 'COMPLETED') === (outcome !== null) && (status === 'FAILED') === (failure !== null),
  'a flow is COMPLETED with an outcome or FAILED with a failure',
)

export type FlowState = Readonly<z.infer<typeof recordSchema>>
export type FlowStatus = FlowState['status']
export type FlowStep = Readonly<z.infer<typeof stepSchema>>
export type TraceEntry = Readonly<z.infer<typeof traceEntrySchema>>
export type TraceEvent = TraceEntry['event']

/** Idle and absolute life of a flow in milliseconds (D3). */
export const flowLifetime = { idle: 15 * 60_000, absolute: 60 * 60_000 } as const

/** What the runtime decides before a flow exists. */
export type FlowOrigin = Pick<FlowState, 'id' | 'environmentId' | 'door' | 'application' | 'request' | 'newSessionId'>

/**
 * A new flow. It is born FAILED and without a failure, which cannot be stored: the first judgement has to place it.
 * @param session the browser's live session
 * @param now epoch milliseconds
 */
export function newFlow(
  origin: FlowOrigin,
  candidates: FlowState['candidates'],
  session: SessionFacts | null,
  now: number,
): FlowState {
  return {
    ...origin,
    createdAt: now,
    expiresAt: now + flowLifetime.idle,
    endsAt: now + flowLifetime.absolute,
    candidates,
    candidate: 0,
    steps: [],
    action: null,
    offers: [],
    slot: null,
    session,
    sessionCounts: session !== null && !origin.request.forcesLogin && mayBe(origin.request, session.userId),
    user: null,
    identifier: null,
    proofs: [],
    status: 'FAILED',
    outcome: null,
    failure: null,
    resumedAt: null,
    trace: [],
  }
}

/** Whether a request may sign this user on. */
export function mayBe({ hintedUserId }: FlowState['request'], userId: string): boolean {
  return hintedUserId === null || hintedUserId === userId
}

/** Where a flow stands: it changes with everything that the flow accepts, and with nothing else. */
export function positionOf({ trace }: FlowState): string {
  return `${trace.length}@${trace.at(-1)?.at}`
}

/** Whether nothing can be done to the flow any more but to resume it. */
export function isFinished(state: FlowState): boolean {
  return state.status === 'COMPLETED' || state.status === 'FAILED'
}

/** The version this release writes, and how each version it understands is read (architecture section 5). */
const written = 1
const readers: Readonly<Record<number, z.ZodType<FlowState>>> = { 1: stateSchema }
const envelope = z.strictObject({ v: z.int(), state: z.unknown() })

/** The text form of a state. */
export function encode(state: FlowState): string {
  return JSON.stringify({ v: written, state })
}

/**
 * Reads the text form.
 * @returns the state, or the version it was written in when this release does not know it (the caller answers 503)
 * @throws when the text is not what that version holds; never a state with gaps filled in
 */
export function decode(text: string): FlowState | { readonly unsupportedVersion: number } {
  const { v, state } = envelope.parse(JSON.parse(text))
  const reader = readers[v]
  return reader ? reader.parse(state) : { unsupportedVersion: v }
}
