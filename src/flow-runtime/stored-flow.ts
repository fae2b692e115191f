/** A flow as it lies in storage, with the application it belongs to: found, decoded, and reached only by its own browser. */
import type { Context } from '../contract/operation.ts'
import { hashSessionToken, readSessionToken } from '../directory/session-cookie.ts'
import type { Application } from '../environment/application.ts'
import { notFound, problem } from '../errors/problem.ts'
import { asOf } from '../flow/lapse.ts'
import { decode, encode, type FlowState } from '../flow/state.ts'
import { compareAndSet, hold, insert, type Word } from '../storage/operations.ts'
import { flowById, sessionById } from '../storage/sql/sessions.ts'
import { allowFlowOrigin } from './application-origin.ts'
import { carriesBinding, mayReach, type Way } from './binding.ts'
import { flowApplication } from './flow-application.ts'

/** A stored flow that the request may reach. */
export interface StoredFlow {
  readonly state: FlowState
  readonly version: number
  readonly application: Application
  /** The session token of the request, when it is the one the flow is bound to. */
  readonly token: string | undefined
}

/**
 * Loads a flow for a request.
 * @param token the session token that the request carries; it comes as a cookie, but at the challenge endpoint
 * @throws Problem NOT_FOUND, the same for unknown, expired, foreign and of another browser; CROSS_SITE for a request
 *   from an origin that is not the application's (decision D2); UNAVAILABLE for a state of a newer release
 */
export async function loadFlow(
  context: Context,
  flowId: string,
  way: Way,
  token = readSessionToken(context.headers.cookie),
): Promise<StoredFlow> {
  const { kernel, environment, now } = context
  const [row] = await kernel.storage.read(flowById(environment.id, flowId, now))
  if (!row) throw notFound()
  const stored = decode(row.state)
  if ('unsupportedVersion' in stored) throw problem('UNAVAILABLE', { headers: { 'retry-after': '5' } })
  const state = asOf(stored, now)
  const found = flowApplication(context, state.application.id)
  const application = found instanceof Promise ? await found : found
  if (!application?.enabled) throw notFound()
  allowFlowOrigin(context, application)
  const carries = carriesBinding(row.token_hash, token)
  if (!mayReach(state, way, carries) || (await hasLostSession(context, state))) throw notFound()
  return { state, version: row.version, application, token: carries ? token : undefined }
}

/**
 * Whether the session that a flow began with has ended since: the flow ends with it (row I13). A flow that has completed
 * has a session of its own by then, unless that is yet to be written.
 */
async function hasLostSession({ kernel, environment, now }: Context, state: FlowState): Promise<boolean> {
  const { session, status, signOnDue } = state
  if (session === null || (status === 'COMPLETED' && !signOnDue)) return false
  const [row] = await kernel.storage.read(sessionById(environment.id, session.id, now))
  return row === undefined
}

/** Stores a new flow, bound to a session token. */
export function* insertFlow(state: FlowState, token: string): Word<void> {
  yield* insert('flows', {
    environment_id: state.environmentId,
    id: state.id,
    token_hash: hashSessionToken(token),
    state: encode(state),
    version: 1,
    created_at: state.createdAt,
    expires_at: state.expiresAt,
  })
}

/**
 * Saves the next state of a flow.
 * @param token the session token it is bound to from now on, where that changes
 * @throws Stale when another request was faster
 */
export function* saveFlow(flow: StoredFlow, next: FlowState, token: string | undefined): Word<void> {
  yield* compareAndSet('flows', { environment_id: next.environmentId, id: next.id }, flow.version, {
    state: encode(next),
    expires_at: next.expiresAt,
    ...(token === undefined ? {} : { token_hash: hashSessionToken(token) }),
  })
}

/**
 * Keeps a flow as it was loaded, for a unit that stands on it.
 * @throws Stale when another request was faster
 */
export function* holdFlow({ state, version }: StoredFlow): Word<void> {
  yield* hold('flows', { environment_id: state.environmentId, id: state.id }, version)
}
