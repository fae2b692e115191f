/** Answers `checkPasscode`: one guess at the passcode of a device of the flow's user (directory/passcodes.ts; rows L10, L12). */
import type { Context } from '../../contract/operation.ts'
import { counterOf } from '../../directory/code-limits.ts'
import { tellOfDevice } from '../../directory/device-notice.ts'
import { devicesOf } from '../../directory/devices.ts'
import { countedForLockout } from '../../directory/mfa-lockout.ts'
import { tryNothing, tryPasscode } from '../../directory/passcodes.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { triesOf } from '../../flow/factors/device-authentication-policy.ts'
import type { QuestionOf } from '../../flow/question.ts'
import type { Ask, Asked } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { type FactorUse, factorOfFlow } from '../factor-use.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the passcode of a request to a flow. */
export const checkPasscodeAsk: Ask<'checkPasscode'> = (context, question, secrets, { application }) =>
  checkPasscode(context, question, secrets, factorOfFlow(question.flowId, application.id))

/** Tries the passcode of a request. */
export async function checkPasscode(
  context: Context,
  { userId, identifier, deviceId, policyId }: QuestionOf<'checkPasscode'>,
  secrets: Readonly<Record<string, string>>,
  { use, beside }: FactorUse,
): Promise<Asked<'checkPasscode'>> {
  const { kernel, environment, now } = context
  const to = 'checkPasscode'
  const policy = devicePolicy(environment, policyId)
  const found = userId === null ? undefined : await userWithPasswordById(kernel, environment.id, userId)
  const devices = found ? await devicesOf(kernel, environment.id, found.user.id, now) : []
  const device = [...devices, ...beside].find(({ id }) => id === deviceId)
  const tried =
    found && device && (device.type !== 'MOBILE' || device.sealedSeed !== null)
      ? await tryPasscode(kernel, environment, {
          device,
          use,
          typed: secrets['otp'] ?? '',
          bound: triesOf(policy, device.type),
          now,
        })
      : await tryNothing(
          kernel,
          counterOf(kernel, 'passcode', { environmentId: environment.id, userId, identifier }),
          triesOf(policy, 'EMAIL'),
          now,
        )
  const check = found ? await countedForLockout(context, found.user.id, tried) : tried
  if (check.result !== 'accepted') return { answer: { to, ...check } }
  if (!found || !device) return { answer: { to, result: 'rejected' } }
  const answer = { to, result: 'accepted', user: userFacts(context, found), factor: device.type } as const
  if (device.type !== 'RECOVERY_CODE') return { answer, write: { with: 'save', run: check.settle } }
  const changed = { user: found.user, device, change: 'code used', devices } as const
  return {
    answer,
    write: {
      with: 'save',
      sends: true,
      *run() {
        yield* check.settle()
        yield* tellOfDevice(kernel, environment, policy, changed, now)
      },
    },
  }
}
