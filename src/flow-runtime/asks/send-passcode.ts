/** Answers `sendPasscode`: a passcode to a device of the flow's user (directory/passcodes.ts; row L40). */
import type { Context } from '../../contract/operation.ts'
import { countSending } from '../../directory/code-limits.ts'
import { devicesOf } from '../../directory/devices.ts'
import { sendPasscode } from '../../directory/passcodes.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { isSentTo } from '../../flow/factors/device.ts'
import { limitedBy, secondsOf, settingsOf } from '../../flow/factors/device-authentication-policy.ts'
import { type TransactionText, transactionTextOf } from '../../flow/transaction-text.ts'
import type { QuestionOf } from '../../flow/question.ts'
import type { Ask, Asked } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { type FactorUse, factorOfFlow } from '../factor-use.ts'
import { localesOf } from '../locales.ts'

/** Prepares a passcode of a flow. */
export const sendPasscodeAsk: Ask<'sendPasscode'> = (context, question, _, { application, request }) =>
  prepareSending(
    context,
    question,
    factorOfFlow(question.flowId, application.id),
    transactionTextOf(request.parameters),
  )

/** Prepares a passcode; it is stored and sent with the state. */
export async function prepareSending(
  context: Context,
  { userId, identifier, deviceId, policyId }: QuestionOf<'sendPasscode'>,
  { use, applicationId, beside }: FactorUse,
  text?: TransactionText,
): Promise<Asked<'sendPasscode'>> {
  const { kernel, environment, now } = context
  const to = 'sendPasscode'
  const [found, devices] = await Promise.all([
    userId === null ? undefined : userWithPasswordById(kernel, environment.id, userId),
    userId === null ? [] : devicesOf(kernel, environment.id, userId, now),
  ])
  const device = [...devices, ...beside].find(({ id }) => id === deviceId)
  // Nobody has the name, the device makes passcodes itself, or it was removed since the machine chose it.
  if (!found || !device || !isSentTo(device.type)) {
    const wait = await countSending(kernel, { environmentId: environment.id, userId, identifier }, now)
    return wait === undefined
      ? { answer: { to, result: 'sent' } }
      : { answer: { to, result: 'lockedOut', secondsUntilUnlock: wait } }
  }
  const policy = devicePolicy(environment, policyId)
  const { otpLength: length, lifeTime } = settingsOf(policy, device.type).otp
  const application = applicationId ? await kernel.environments.application(environment.id, applicationId) : undefined
  const sending = await sendPasscode(kernel, environment, {
    user: found.user,
    device: { ...device, type: device.type },
    use,
    applicationName: application?.name ?? '',
    form: { length, lifetime: secondsOf(lifeTime), ...limitedBy(policy) },
    text,
    locales: localesOf(context),
    now,
  })
  if (sending.result === 'lockedOut') return { answer: { to, ...sending } }
  return { answer: { to, result: 'sent' }, write: { with: 'save', sends: true, run: sending.send } }
}
