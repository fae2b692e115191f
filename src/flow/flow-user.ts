/**
 * Whom a flow is about: nobody, somebody who only named themselves, somebody whose credentials were accepted. Decisions
 * D7, D20; rows J26, J29.
 *
 * Never: one user's flow continued as another's.
 */
import type { Named } from './action.ts'
import { isUsable, type UserFacts } from './facts.ts'
import { type FlowState, mayBe } from './state.ts'

/**
 * Whom a flow begins with: whom an invitation is for, the user of the session, whom the application vouches for, or names
 * where nobody is there.
 */
export function userAtStart({ door, request, session, sessionCounts }: FlowState): FlowState['user'] {
  const { hintedUserId: id, isVouched, invitation } = request
  if (door === 'backchannel') return id === null ? null : { id, knownBy: 'hint' }
  if (invitation) return id === null ? null : { id, knownBy: 'invitation' }
  if (session && sessionCounts) return { id: session.userId, knownBy: 'session' }
  return isVouched && id !== null ? { id, knownBy: 'vouched' } : null
}

/** The flow's user after credentials of theirs were accepted; the same as before where there were none. */
export function proven({ user }: FlowState, accepted: UserFacts | undefined): FlowState['user'] {
  if (!accepted || user?.knownBy === 'session') return user
  return { id: accepted.id, knownBy: 'credentials' }
}

/** What becomes of a flow whose user somebody named: a stranger or somebody who may not sign on is nobody (D7). */
export function identified(state: FlowState, { identifier, user }: Named): Partial<FlowState> {
  if (state.user) return {}
  const isCandidate = isUsable(user) && !isStranger(state, user)
  return { identifier, user: isCandidate ? { id: user.id, knownBy: 'identifier' } : null }
}

/**
 * The flow once somebody has come back from an identity provider: a name that was only typed has led there, and says no
 * more. Whether anybody has it must make no difference to whoever comes back (row J29).
 */
export function unnamed(state: FlowState): FlowState {
  const isNamed = state.user === null || state.user.knownBy === 'identifier'
  return isNamed ? { ...state, user: null, identifier: null } : state
}

/** Whether this is not the flow's user, or nobody that the request lets sign on. */
export function isStranger({ user, request }: FlowState, { id }: UserFacts): boolean {
  return (user !== null && id !== user.id) || !mayBe(request, id)
}
