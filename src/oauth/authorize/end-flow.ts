/**
 * The end of a flow: its last state, the session that is due, and what whoever asked for it gets, in one unit. Rows J07, J08,
 * I13; decision D1.
 *
 * Never: a second time, or for a browser that does not carry the token of the session that the flow came to.
 */
import type { Context } from '../../contract/operation.ts'
import { notFound } from '../../errors/problem.ts'
import type { Failure } from '../../flow/failure.ts'
import type { Outcome } from '../../flow/outcome.ts'
import { carriesBinding } from '../../flow-runtime/binding.ts'
import { type OpenedSession, openSession } from '../../flow-runtime/open-session.ts'
import type { Resumed } from '../../flow-runtime/runtime.ts'
import { saveFlow, type StoredFlow } from '../../flow-runtime/stored-flow.ts'
import type { UnitBody } from '../../storage/port.ts'
import { Stale } from '../../storage/refusals.ts'
import { sessionById } from '../../storage/sql/sessions.ts'
import { claimSource, type ClaimSource } from '../tokens/claim-source.ts'

/** What is issued, with the statements that store it. */
interface Stored {
  readonly store: () => UnitBody<void>
}

/** How the end is written for whoever asked. */
export interface Ending<T extends Stored> {
  readonly issue: (outcome: Outcome, source: ClaimSource) => Promise<T>
  /** What a failure writes beside the flow. */
  readonly deny?: () => UnitBody<void>
}

/**
 * Ends a flow that was resumed.
 * @throws Problem NOT_FOUND for a second time, and for a request that does not carry the token of the session
 */
export async function endFlow<T extends Stored>(
  context: Context,
  loaded: StoredFlow,
  { state, effect, signsOn, user: found }: Resumed,
  { issue, deny }: Ending<T>,
): Promise<{ readonly failure: Failure } | { readonly issued: T }> {
  const commit = (store?: Stored['store'], opened?: OpenedSession) =>
    context.kernel.storage
      .commit({
        name: 'resume-flow',
        *run() {
          yield* saveFlow(loaded, state, opened?.token)
          if (opened) yield* opened.write()
          if (store) yield* store()
        },
      })
      .catch(asNotFound)

  if (effect.kind === 'deny') {
    await commit(deny)
    return { failure: effect.failure }
  }
  const { outcome } = effect
  const opened = signsOn ? await openSession(context, outcome).catch(asNotFound) : undefined
  if (opened ? loaded.token === undefined : !(await carriesSession(context, outcome, loaded))) throw notFound()
  if (found?.user.id !== outcome.userId) throw notFound()
  const issued = await issue(outcome, claimSource(found.user))
  await commit(issued.store, opened)
  opened?.tell()
  return { issued }
}

/** Whether the request carries the token of the session that the flow came to. */
async function carriesSession(
  { kernel, environment, now }: Context,
  { session: { id } }: Outcome,
  { token }: StoredFlow,
): Promise<boolean> {
  const [session] = await kernel.storage.read(sessionById(environment.id, id, now))
  return session !== undefined && carriesBinding(session.token_hash, token)
}

/** Another request came first. */
function asNotFound(error: unknown): never {
  throw error instanceof Stale ? notFound() : error
}
