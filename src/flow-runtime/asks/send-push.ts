/** Answers `sendPush`: a request to the app on a device of the flow's user (directory/push-requests.ts; row L35). */
import { devicesOf } from '../../directory/devices.ts'
import { sendPush } from '../../directory/push-requests.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { mobileApplication, type PushTerms, pushTerms } from '../../flow/factors/mobile.ts'
import { transactionTextOf } from '../../flow/transaction-text.ts'
import type { FlowState } from '../../flow/state.ts'
import type { Ask } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { flowApplication } from '../flow-application.ts'
import { localesOf } from '../locales.ts'

/** Prepares a request; it is stored, and the app woken, with the state. */
export const sendPushAsk: Ask<'sendPush'> = async (context, question, _, flow) => {
  const { userId, deviceId, policyId, flowId } = question
  const { kernel, environment, now, remoteAddress } = context
  const to = 'sendPush'
  const [found, devices] = await Promise.all([
    userWithPasswordById(kernel, environment.id, userId),
    devicesOf(kernel, environment.id, userId, now),
  ])
  const device = devices.find((each) => each.id === deviceId)
  const policy = mobileApplication(devicePolicy(environment, policyId).mobile, device?.app?.applicationId)
  // Removed since the machine chose it: nobody is asked, and the request is over as soon as it is made.
  const nothing = { requestId: kernel.world.uuid(), number: null, expiresAt: now }
  if (!found || !device || !policy) return { answer: { to, result: 'sent', request: nothing } }
  const terms = termsFor(flow, pushTerms(policy), now)
  if (!terms) return { answer: { to, result: 'lockedOut', secondsUntilUnlock: 0 } }
  const { id } = flow.application
  const application = await flowApplication(context, id)
  const sending = await sendPush(kernel, environment, {
    user: found.user,
    deviceId,
    flowId,
    application: { id, name: application?.name ?? '' },
    terms,
    text: transactionTextOf(flow.request.parameters),
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
