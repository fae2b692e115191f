/**
 * What is done with an MFA device of a user by vendor media types on its address: activate, send the activation code
 * again, block, unblock. platform-api 3.14.5, 1.13; rows L03, L12, L19.
 *
 * Never: a device activated by the passcode of another one.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import type { Device } from '../directory/devices.ts'
import { tryPasscode } from '../directory/passcodes.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { passcodeBound } from '../flow/factors/device-authentication-policy.ts'
import { type Columns, update } from '../storage/operations.ts'
import type { UnitBody } from '../storage/port.ts'
import { AlreadyConsumed } from '../storage/refusals.ts'
import { controlledUser } from './user-control.ts'
import { deviceBody, deviceResource } from './user-device-representation.ts'
import { activationCode } from './user-device-create.ts'
import { deviceCommon, deviceOf, oneDevice } from './user-devices.ts'

const updating = { permission: 'mfa:update:userDevice', recent: true } as const

/** What such a request says is its media type. */
const nothing = z.object({})

const declared = {
  ...deviceCommon,
  ...oneDevice,
  method: 'POST',
  permission: { kind: 'role', population: true, ...updating },
  replies: { 200: deviceResource },
} as const

/** Changes a device in one unit with its event. */
async function change(
  context: Context,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
  columnsOf: (device: Device) => Columns,
  also: () => UnitBody<void> = function* () {},
): Promise<Reply> {
  const { kernel, environment, now } = context
  const { user } = await controlledUser(context, userId, updating)
  const columns = { ...columnsOf(await deviceOf(context, user, deviceId)), updated_at: now }
  await kernel.storage.commit({
    name: 'change-device',
    *run() {
      yield* also()
      const key = { environment_id: environment.id, user_id: userId, id: deviceId }
      if (!(yield* update('devices', key, columns))) throw notFound()
      yield context.record({ subject: { type: 'DEVICE', id: deviceId }, detail: { userId } })
    },
  })
  return { status: 200, body: deviceBody(context, user, await deviceOf(context, user, deviceId)) }
}

const activateDevice = defineOperation({
  ...declared,
  id: 'activateDevice',
  mediaTypes: [vendorMediaType('device.activate')],
  summary: 'Activate an MFA device by a passcode of it',
  body: { kind: 'json', schema: z.object({ otp: z.string().min(1).max(64) }) },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'LIMITED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.ACTIVATED',
  async handle({ params, body }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledUser(context, params.userId, updating)
    const device = await deviceOf(context, user, params.deviceId)
    if (device.status === 'ACTIVE') throw alreadyActive()
    const bound = passcodeBound(environment.flowConfiguration.defaultDeviceAuthenticationPolicy, device.type)
    const attempt = { device, use: { kind: 'activation' }, typed: body.otp, bound, now } as const
    const check = await tryPasscode(kernel, environment, attempt)
    if (check.result === 'lockedOut') {
      throw problem('LIMITED', { headers: { 'retry-after': String(check.secondsUntilUnlock) } })
    }
    if (check.result === 'rejected') throw wrongPasscode()
    try {
      return await change(context, params, () => ({ status: 'ACTIVE', expires_at: null }), check.settle)
    } catch (error) {
      throw error instanceof AlreadyConsumed ? wrongPasscode() : error
    }
  },
})

function wrongPasscode(): Error {
  return invalidData('INVALID_OTP', 'otp', 'The passcode is not valid.')
}

function alreadyActive(): Error {
  const message = 'The device is active already.'
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

const sendActivationCode = defineOperation({
  ...declared,
  id: 'sendDeviceActivationCode',
  mediaTypes: [vendorMediaType('device.sendActivationCode')],
  summary: 'Send the activation code of an e-mail or phone device again',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'LIMITED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params }, context) {
    const { user } = await controlledUser(context, params.userId, updating)
    const device = await deviceOf(context, user, params.deviceId)
    if (device.status === 'ACTIVE') throw alreadyActive()
    const reply = await change(context, params, () => ({}), await activationCode(context, user, device))
    context.kernel.wakeOutbox()
    return reply
  },
})

const blockDevice = defineOperation({
  ...declared,
  id: 'blockDevice',
  mediaTypes: [vendorMediaType('device.block')],
  summary: 'Keep an MFA device from being used until it is unblocked',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.BLOCKED',
  handle: ({ params }, context) =>
    change(context, params, ({ blockedAt }) => ({ blocked_at: blockedAt ?? context.now })),
})

const unblockDevice = defineOperation({
  ...declared,
  id: 'unblockDevice',
  mediaTypes: [vendorMediaType('device.unblock')],
  summary: 'Let a blocked MFA device be used again',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UNBLOCKED',
  handle: ({ params }, context) => change(context, params, () => ({ blocked_at: null })),
})

export const userDeviceActionOperations: readonly Operation[] = [
  activateDevice,
  sendActivationCode,
  blockDevice,
  unblockDevice,
]
