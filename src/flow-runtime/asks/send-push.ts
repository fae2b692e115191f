/** Answers `sendPush`: a request to the app on a device of the flow's user (directory/push-requests.ts; row L35). */
import { devicesOf } from '../../directory/devices.ts'
import { sendPush } from '../../directory/push-requests.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { mobileApplication, pushTerms } from '../../flow/factors/mobile.ts'
import type { Ask } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { localesOf } from '../locales.ts'

/** Prepares a request; it is stored, and the app woken, with the state. */
export const sendPushAsk: Ask<'sendPush'> = async (context, question, _, { application: { id } }) => {
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
  const application = await kernel.environments.application(environment.id, id)
  const sending = await sendPush(kernel, environment, {
    user: found.user,
    deviceId,
    flowId,
    application: { id, name: application?.name ?? '' },
    terms: pushTerms(policy),
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
