/**
 * The saving of one step of a flow: the next state with all that belongs to it, in one unit (architecture section 3), and
 * what the browser is told of it.
 *
 * Never: a push request that outlives the wait for it; a cookie for anybody but the browser of the request.
 */
import type { Context } from '../contract/operation.ts'
import { readBrowserToken, type Remembering, remembering } from '../directory/remembered-browsers.ts'
import { sessionCookie } from '../directory/session-cookie.ts'
import { notFound } from '../errors/problem.ts'
import { pushStatuses } from '../flow/actions/push-confirmation.ts'
import type { Effect } from '../flow/question.ts'
import type { FlowState } from '../flow/state.ts'
import type { UnitBody } from '../storage/port.ts'
import { withdrawPushRequest } from '../storage/sql/mobile-devices.ts'
import { setCookie } from './answer-cookies.ts'
import { isAboutSomebody } from './binding.ts'
import type { Driven } from './drive.ts'
import { guarded } from './guarded.ts'
import { openSession } from './open-session.ts'
import { settlePolledGrant } from './settle-polled-grant.ts'
import { saveFlow, type StoredFlow } from './stored-flow.ts'

type Done = Extract<Driven, { kind: 'done' }>

/** Saves a step: the flow, what answering wrote, the session of a sign-on, and the audit event, in one unit. */
export async function saveStep(
  context: Context,
  flow: StoredFlow,
  { state, effects, writes, application }: Done,
  also: (state: FlowState) => UnitBody<void>,
): Promise<string | undefined> {
  const { kernel, now } = context
  const signOn = effects.find((effect) => effect.kind === 'signOn')
  const session = signOn && (await openSession(context, signOn.outcome))
  const becameKnown = !isAboutSomebody(flow.state) && isAboutSomebody(state)
  const newToken = session?.token ?? (becameKnown && flow.token === undefined ? kernel.world.uuid() : undefined)
  const answered = effects.find((effect) => effect.kind === 'issue' || effect.kind === 'deny')
  const setsPassword = effects.some((effect) => effect.kind === 'setPassword')
  const remembered = effects.flatMap((effect) => rememberingOf(context, effect))
  await kernel.storage.commit({
    name: 'save-flow',
    *run() {
      yield* saveFlow(flow, state, newToken)
      // Whatever happens to a flow, the request that it waited for is over.
      if (waitsForApp(flow.state)) yield withdrawPushRequest(state.environmentId, state.id)
      for (const { store } of remembered) yield* store()
      for (const write of writes) if (write.with === 'save' || setsPassword) yield* guarded(write.run)
      if (session) yield* session.write()
      if (answered && !(yield* settlePolledGrant(context, state, answered))) throw notFound()
      yield* also(state)
      if (state.status === 'COMPLETED' || state.status === 'FAILED') {
        yield context.record({
          action: state.status === 'COMPLETED' ? 'FLOW.COMPLETED' : 'FLOW.FAILED',
          result: state.status === 'COMPLETED' ? 'SUCCESS' : 'FAILED',
          subject: { type: 'FLOW', id: state.id },
          ...(application.id === context.environment.id ? {} : { clientId: application.id }),
          ...(state.user ? { userId: state.user.id } : {}),
          ...(state.outcome ? { sessionId: state.outcome.session.id } : {}),
          detail: { reason: state.trace.at(-1)?.reason ?? '' },
        })
      }
    },
  })
  if (writes.some(({ sends }) => sends)) kernel.wakeOutbox()
  // The user of a backchannel flow is at another device than whoever began it.
  if (state.door !== 'backchannel') {
    if (session) session.tell()
    else if (newToken) setCookie(context, sessionCookie(context.site, newToken, now))
  }
  for (const { cookie } of remembered) setCookie(context, cookie)
  return newToken
}

function waitsForApp({ status }: FlowState): boolean {
  return pushStatuses.some((each) => each === status)
}

function rememberingOf({ kernel, site, headers, now }: Context, effect: Effect): readonly Remembering[] {
  if (effect.kind !== 'rememberBrowser') return []
  const { userId, seconds } = effect
  return [remembering(kernel, site, { userId, seconds, token: readBrowserToken(headers.cookie), now })]
}
