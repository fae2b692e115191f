/** Answers `sendPasscode`: a passcode to a device of the flow's user (directory/passcodes.ts; row L40). */
import { devicesOf } from '../../directory/devices.ts'
import { sendPasscode } from '../../directory/passcodes.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { isSentTo } from '../../flow/factors/device.ts'
import { secondsOf, settingsOf } from '../../flow/factors/device-authentication-policy.ts'
import type { Ask } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { localesOf } from '../locales.ts'

/** Prepares a passcode; it is stored and sent with the state. */
export const sendPasscodeAsk: Ask<'sendPasscode'> = async (context, question, _, { application }) => {
  const { userId, deviceId, policyId, flowId } = question
  const { kernel, environment, now } = context
  const to = 'sendPasscode'
  const [found, devices] = await Promise.all([
    userWithPasswordById(kernel, environment.id, userId),
    devicesOf(kernel, environment.id, userId, now),
  ])
  const device = devices.find(({ id }) => id === deviceId)
  // Removed since the machine chose it: nothing is sent, and no passcode will fit.
  if (!found || !device || !isSentTo(device.type)) return { answer: { to, result: 'sent' } }
  const { otpLength: length, lifeTime } = settingsOf(devicePolicy(environment, policyId), device.type).otp
  const sending = await sendPasscode(kernel, environment, {
    user: found.user,
    device: { ...device, type: device.type },
    use: { kind: 'flow', flowId },
    applicationName: (await kernel.environments.application(environment.id, application.id))?.name ?? '',
    form: { length, lifetime: secondsOf(lifeTime) },
    locales: localesOf(context),
    now,
  })
  if (sending.result === 'lockedOut') return { answer: { to, ...sending } }
  return { answer: { to, result: 'sent' }, write: { with: 'save', sends: true, run: sending.send } }
}
