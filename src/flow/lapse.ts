/**
 * What a flow has become by the mere passing of time: a push request that was not answered has timed out (authentication-api
 * 3.3). Reading a flow writes nothing (decision D3), so this is worked out whenever one is loaded, always with the same
 * result, and stored with the next thing that happens to it.
 *
 * Never: a status that accepts more than the one before it.
 */
import { actions, type AnyAction } from './actions/index.ts'
import type { FlowState } from './state.ts'
import { move } from './turn.ts'

/** The actions of which a status can lapse; no two of them share one. */
const lapsing = (actions as readonly AnyAction[]).filter(({ lapse }) => lapse)

/**
 * The state of a flow at a moment.
 * @param now epoch milliseconds
 */
export function asOf(state: FlowState, now: number): FlowState {
  const waiting = lapsing.find(({ statuses }) => statuses.some((status) => status === state.status))
  const lapsed = waiting?.lapse?.(waiting.slot.parse(state.slot), state.status)
  if (!waiting || !lapsed || now < lapsed.at) return state
  const { accepts } = waiting
  const offers = state.offers.filter((name) => accepts[name]?.in.some((allowed) => allowed === lapsed.status))
  const changes = { status: lapsed.status, offers }
  return move({ now: lapsed.at, cause: 'lapse' }, state, lapsed.reason, changes)
}
