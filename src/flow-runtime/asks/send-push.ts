/**
 * Answers `sendPush`: a request to the app on a device of the user (directory/push-requests.ts; row L35), for a flow or for a
 * stand-alone authentication.
 */
import type { Context } from '../../contract/operation.ts'
import { devicesOf } from '../../directory/devices.ts'
import { sendPush } from '../../directory/push-requests.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { limitedBy } from '../../flow/factors/device-authentication-policy.ts'
import { mobileApplication, type PushTerms, pushTerms } from '../../flow/factors/mobile.ts'
import type { QuestionOf } from '../../flow/question.ts'
import type { FlowState } from '../../flow/state.ts'
import { type TransactionText, transactionTextOf } from '../../flow/transaction-text.ts'
import type { Ask, Asked } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { flowApplication } from '../flow-application.ts'
import { localesOf } from '../locales.ts'

/** What a request is about. */
interface PushOccasion {
  /** What the user signs on to: an application, or the environment where none is named. */
  readonly applicationId: string
  /** Default: that somebody signs on. */
  readonly text?: TransactionText | undefined
  /** How the request is made, by what the policy says; undefined: not at all. */
  readonly termsFrom: (terms: PushTerms) => PushTerms | undefined
}

/** Prepares a request of a flow; it is stored, and the app woken, with the state. */
export const sendPushAsk: Ask<'sendPush'> = (context, question, _, flow) =>
  preparePush(context, question, {
    applicationId: flow.application.id,
    text: transactionTextOf(flow.request.parameters),
    termsFrom: (terms) => termsFor(flow, terms, context.now),
  })

/** Prepares a request; it is stored, and the app woken, with what asks for it. */
export async function preparePush(
  context: Context,
  { userId, deviceId, policyId, flowId }: QuestionOf<'sendPush'>,
  { applicationId: id, text, termsFrom }: PushOccasion,
): Promise<Asked<'sendPush'>> {
  const { kernel, environment, now, remoteAddress } = context
  const to = 'sendPush'
  const [found, devices] = await Promise.all([
    userWithPasswordById(kernel, environment.id, userId),
    devicesOf(kernel, environment.id, userId, now),
  ])
  const device = devices.find((each) => each.id === deviceId)
  const wholePolicy = devicePolicy(environment, policyId)
  const policy = mobileApplication(wholePolicy.mobile, device?.app?.applicationId)
  // Removed since the machine chose it: nobody is asked, and the request is over as soon as it is made.
  const nothing = { requestId: kernel.world.uuid(), number: null, expiresAt: now }
  if (!found || !device || !policy) return { answer: { to, result: 'sent', request: nothing } }
  const terms = termsFrom(pushTerms(policy))
  if (!terms) return { answer: { to, result: 'lockedOut', secondsUntilUnlock: 0 } }
  const application = await flowApplication(context, id)
  const sending = await sendPush(kernel, environment, {
    user: found.user,
    deviceId,
    flowId,
    application: { id, name: application?.name ?? '' },
    terms,
    text,
    ...limitedBy(wholePolicy),
    remoteAddress,
    locales: localesOf(context),
    now,
  })
  if (sending.result === 'lockedOut') return { answer: { to, ...sending } }
  const { request, wakes, send } = sending
  return {
    answer: { to, result: 'sent', request },
    write: { with: 'save', ...(wakes ? { sends: true } : {}), run: send },
  }
}

/**
 * How the request of a flow is made. Without a browser there is no page that could show a number: the message that the client
 * shows is what the person compares, and one waits as long as the client does. Where the policy has numbers matched and there
 * is no such message, the app is not asked.
 */
function termsFor({ door, request }: FlowState, terms: PushTerms, now: number): PushTerms | undefined {
  if (door !== 'backchannel') return terms
  const { bindingMessage = null, expiresAt = now } = request.backchannel ?? {}
  if (terms.numberMatching && bindingMessage === null) return undefined
  return { ...terms, numberMatching: false, seconds: Math.max(0, Math.floor((expiresAt - now) / 1000)) }
}
