/**
 * The MFA devices of a user: `~/users/{userId}/devices`, platform-api 3.14.5. An administrator's e-mail device is active at
 * once; an authenticator app is active once a passcode of it was seen (user-device-actions.ts).
 *
 * Never: a device of a kind that the policy does not let be paired; a seed that the client chose (row L20); more devices
 * than a user may have, however many are made at once.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { uuid } from '../contract/validation.ts'
import { activationMilliseconds, type Device, devicesOf, sealSeed } from '../directory/devices.ts'
import { sendPasscode } from '../directory/passcodes.ts'
import { base32, keyUri, seedBytes } from '../directory/totp.ts'
import type { User } from '../directory/users.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { allows, type DeviceType, deviceTypes } from '../flow/factors/device.ts'
import { secondsOf } from '../flow/factors/device-authentication-policy.ts'
import { optionalAttributes } from '../flow/user-attributes.ts'
import { insert, remove, update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { devicesOfUser, lockUser } from '../storage/sql/devices.ts'
import { controlledUser, reachedUser } from './user-control.ts'
import { createdDeviceResource, deviceBody, deviceResource } from './user-device-representation.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'mfa:read:userDevice' } as const
const creating = { permission: 'mfa:create:userDevice' } as const
const updating = { permission: 'mfa:update:userDevice' } as const
const deleting = { permission: 'mfa:delete:userDevice' } as const

export const deviceCommon = {
  surface: 'management',
  tag: 'Devices',
  source: 'platform-api 3.14.5',
  cors: 'none',
} as const
const allDevices = partOfUser('/devices')
export const oneDevice = {
  path: `${allDevices.path}/{deviceId}`,
  params: allDevices.params.extend({ deviceId: uuid }),
} as const

const maximumDevices = 5
const nickname = z.string().trim().min(1).max(100)

const newDevice = z.object({
  type: z.enum(deviceTypes),
  email: optionalAttributes.email.optional(),
  nickname: nickname.optional(),
  status: z.enum(['ACTIVE', 'ACTIVATION_REQUIRED']).optional(),
  policy: z.object({ id: uuid }).optional(),
})

/** A device of the user of the path. @throws Problem NOT_FOUND */
export async function deviceOf(context: Context, owner: User, deviceId: string): Promise<Device> {
  const devices = await devicesOf(context.kernel, context.environment.id, owner.id, context.now)
  const device = devices.find(({ id }) => id === deviceId)
  if (!device) throw notFound()
  return device
}

function requirePairable({ environment }: Context, type: DeviceType, policyId: string | undefined): void {
  const { deviceAuthenticationPolicies: policies, defaultDeviceAuthenticationPolicy } = environment.flowConfiguration
  const policy = policyId === undefined ? defaultDeviceAuthenticationPolicy : policies.get(policyId)
  if (!policy) throw invalidData('INVALID_VALUE', 'policy.id', 'is not a device authentication policy')
  const { pairingDisabled } = type === 'EMAIL' ? policy.email : policy.totp
  if (!allows(policy, type) || pairingDisabled)
    throw invalidData('INVALID_VALUE', 'type', 'is not allowed by the policy')
}

const listDevices = defineOperation({
  ...deviceCommon,
  ...allDevices,
  id: 'listDevices',
  method: 'GET',
  summary: 'List the MFA devices of a user, in their order',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: collectionSchema('devices', deviceResource) },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId } }, context) {
    const { user } = await reachedUser(context, userId, reading)
    const devices = await devicesOf(context.kernel, context.environment.id, userId, context.now)
    const items = devices.map((device) => deviceBody(context, user, device))
    const self = `${context.kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('devices', items, self, undefined, items.length) }
  },
})

const readDevice = defineOperation({
  ...deviceCommon,
  ...oneDevice,
  id: 'readDevice',
  method: 'GET',
  summary: 'Read an MFA device of a user',
  permission: { kind: 'role', population: true, ...reading },
  replies: { 200: deviceResource },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  async handle({ params: { userId, deviceId } }, context) {
    const { user } = await reachedUser(context, userId, reading)
    return { status: 200, body: deviceBody(context, user, await deviceOf(context, user, deviceId)) }
  },
})

const createDevice = defineOperation({
  ...deviceCommon,
  ...allDevices,
  id: 'createDevice',
  method: 'POST',
  summary: 'Add an MFA device to a user',
  permission: { kind: 'role', population: true, ...creating },
  body: { kind: 'json', schema: newDevice },
  replies: { 201: createdDeviceResource },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.CREATED',
  async handle({ params: { userId }, body }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledUser(context, userId, creating)
    requirePairable(context, body.type, body.policy?.id)
    if (body.type === 'EMAIL' && body.email === undefined)
      throw invalidData('REQUIRED_VALUE', 'email', 'must not be null')
    const id = kernel.world.uuid()
    const seed = body.type === 'TOTP' ? kernel.world.bytes(seedBytes) : undefined
    const isActive = body.type === 'EMAIL' && body.status !== 'ACTIVATION_REQUIRED'
    const device: Device = {
      id,
      userId,
      type: body.type,
      status: isActive ? 'ACTIVE' : 'ACTIVATION_REQUIRED',
      nickname: body.nickname ?? null,
      email: body.type === 'EMAIL' ? (body.email ?? null) : null,
      sealedSeed: seed ? sealSeed(kernel.world, environment, id, seed) : null,
      lastStep: null,
      blockedAt: null,
      createdAt: now,
      updatedAt: now,
    }
    const sending = isActive || seed ? undefined : await activationCode(context, user, device)
    await kernel.storage.commit({
      name: 'create-device',
      *run() {
        if ((yield* run(lockUser(environment.id, userId))).length === 0) throw notFound()
        const present = yield* run(devicesOfUser(environment.id, userId, now))
        if (present.length >= maximumDevices) throw tooMany()
        yield* insert('devices', rowOf(environment.id, device))
        if (sending) yield* sending()
        yield context.record({ subject: { type: 'DEVICE', id }, detail: { userId, type: device.type } })
      },
    })
    if (sending) kernel.wakeOutbox()
    const told = seed ? { secret: base32(seed), keyUri: keyUri(environment.name, user.username, seed) } : {}
    const written = deviceBody(context, user, device)
    return { status: 201, body: { ...written, ...told }, headers: { location: written._links['self']?.href ?? '' } }
  },
})

/** Prepares the passcode that activates an e-mail device. @throws Problem LIMITED */
export async function activationCode(context: Context, user: User, device: Device) {
  const { kernel, environment, now } = context
  const { otpLength, lifeTime } = environment.flowConfiguration.defaultDeviceAuthenticationPolicy.email.otp
  const sending = await sendPasscode(kernel, environment, {
    user,
    device,
    use: { kind: 'activation' },
    form: { length: otpLength, lifetime: secondsOf(lifeTime) },
    locales: [],
    now,
  })
  if (sending.result === 'sent') return sending.send
  throw problem('LIMITED', { headers: { 'retry-after': String(sending.secondsUntilUnlock) } })
}

function tooMany(): Error {
  const message = 'Maximum allowed devices has been reached'
  const innerError = { maximumAllowed: maximumDevices }
  return problem('REQUEST_FAILED', { details: [{ code: 'LIMIT_EXCEEDED', message, innerError }] })
}

function rowOf(environmentId: string, device: Device) {
  return {
    environment_id: environmentId,
    user_id: device.userId,
    id: device.id,
    type: device.type,
    status: device.status,
    nickname: device.nickname,
    email: device.email,
    sealed_seed: device.sealedSeed,
    last_step: null,
    blocked_at: null,
    position: device.createdAt,
    created_at: device.createdAt,
    updated_at: device.updatedAt,
    expires_at: device.status === 'ACTIVE' ? null : device.createdAt + activationMilliseconds,
  }
}

const deleteDevice = defineOperation({
  ...deviceCommon,
  ...oneDevice,
  id: 'deleteDevice',
  method: 'DELETE',
  summary: 'Remove an MFA device from a user',
  permission: { kind: 'role', population: true, ...deleting },
  replies: { 204: null },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.DELETED',
  async handle({ params: { userId, deviceId } }, context) {
    const { kernel, environment } = context
    const { user } = await controlledUser(context, userId, deleting)
    await deviceOf(context, user, deviceId)
    await kernel.storage.commit({
      name: 'delete-device',
      *run() {
        yield* remove('devices', { environment_id: environment.id, user_id: userId, id: deviceId })
        yield context.record({ subject: { type: 'DEVICE', id: deviceId }, detail: { userId } })
      },
    })
    return { status: 204 }
  },
})

const nameDevice = defineOperation({
  ...deviceCommon,
  path: `${oneDevice.path}/nickname`,
  params: oneDevice.params,
  id: 'updateDeviceNickname',
  method: 'PUT',
  summary: 'Name an MFA device of a user',
  permission: { kind: 'role', population: true, ...updating },
  body: { kind: 'json', schema: z.object({ nickname }) },
  replies: { 200: deviceResource },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params: { userId, deviceId }, body }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledUser(context, userId, updating)
    const device = await deviceOf(context, user, deviceId)
    await kernel.storage.commit({
      name: 'name-device',
      *run() {
        const key = { environment_id: environment.id, user_id: userId, id: deviceId }
        if (!(yield* update('devices', key, { nickname: body.nickname, updated_at: now }))) throw notFound()
        yield context.record({ subject: { type: 'DEVICE', id: deviceId }, detail: { userId, changed: ['nickname'] } })
      },
    })
    return { status: 200, body: deviceBody(context, user, { ...device, ...body, updatedAt: now }) }
  },
})

const orderDevices = defineOperation({
  ...deviceCommon,
  ...allDevices,
  id: 'reorderDevices',
  method: 'POST',
  mediaTypes: [vendorMediaType('devices.reorder')],
  summary: 'Put the MFA devices of a user into an order; the first is the default',
  permission: { kind: 'role', population: true, ...updating },
  body: {
    kind: 'json',
    schema: z.object({
      order: z
        .array(z.object({ id: uuid }))
        .min(1)
        .max(maximumDevices),
    }),
  },
  replies: { 200: collectionSchema('devices', deviceResource) },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params: { userId }, body: { order } }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledUser(context, userId, updating)
    const present = await devicesOf(kernel, environment.id, userId, now)
    const wanted = order.map(({ id }) => id)
    const isWhole = wanted.length === present.length && present.every(({ id }) => wanted.includes(id))
    if (!isWhole) throw invalidData('INVALID_VALUE', 'order', 'must name every device of the user once')
    await kernel.storage.commit({
      name: 'order-devices',
      *run() {
        for (const [at, id] of wanted.entries()) {
          yield* update('devices', { environment_id: environment.id, user_id: userId, id }, { position: at + 1 })
        }
        yield context.record({ subject: { type: 'USER', id: userId }, detail: { changed: ['order'] } })
      },
    })
    const ordered = await devicesOf(kernel, environment.id, userId, now)
    const items = ordered.map((device) => deviceBody(context, user, device))
    const self = `${kernel.origins.apiUrl}${context.target}`
    return { status: 200, body: collection('devices', items, self, undefined, items.length) }
  },
})

export const userDeviceOperations: readonly Operation[] = [
  listDevices,
  createDevice,
  orderDevices,
  readDevice,
  deleteDevice,
  nameDevice,
]
