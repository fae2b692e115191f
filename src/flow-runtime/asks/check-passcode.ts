/** Answers `checkPasscode`: one guess at the passcode of a device of the flow's user (directory/passcodes.ts; rows L10, L12). */
import { counterOf } from '../../directory/code-limits.ts'
import { devicesOf } from '../../directory/devices.ts'
import { tryNothing, tryPasscode } from '../../directory/passcodes.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { triesOf } from '../../flow/factors/device-authentication-policy.ts'
import type { Ask } from '../asked.ts'
import { devicePolicy } from '../device-policy.ts'
import { userFacts } from '../user-facts.ts'

/** Tries the passcode of a request. */
export const checkPasscodeAsk: Ask<'checkPasscode'> = async (context, question, secrets) => {
  const { kernel, environment, now } = context
  const { userId, identifier, deviceId, policyId, flowId } = question
  const to = 'checkPasscode'
  const policy = devicePolicy(environment, policyId)
  const found = userId === null ? undefined : await userWithPasswordById(kernel, environment.id, userId)
  const devices = found ? await devicesOf(kernel, environment.id, found.user.id, now) : []
  const device = devices.find(({ id }) => id === deviceId)
  const check =
    found && device && (device.type !== 'MOBILE' || device.sealedSeed !== null)
      ? await tryPasscode(kernel, environment, {
          device,
          use: { kind: 'flow', flowId },
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
  if (check.result !== 'accepted') return { answer: { to, ...check } }
  if (!found || !device) return { answer: { to, result: 'rejected' } }
  const answer = { to, result: 'accepted', user: userFacts(context, found), factor: device.type } as const
  return { answer, write: { with: 'save', run: check.settle } }
}
