/**
 * The MFA devices of a user: `~/users/{userId}/devices`, platform-api 3.14.5. They are made in user-device-create.ts, and
 * activated and blocked in user-device-actions.ts.
 *
 * Never: a device reached through another user than its own (row L01).
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { vendorMediaType } from '../contract/media-type.ts'
import { uuid } from '../contract/validation.ts'
import { tellOfDevice } from '../directory/device-notice.ts'
import { type Device, devicesOf, unordered } from '../directory/devices.ts'
import { endRecognition } from '../directory/recognition.ts'
import type { User } from '../directory/users.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { remove, update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { lockUser } from '../storage/sql/devices.ts'
import { reachedUser } from './user-control.ts'
import { controlledDevices } from './own-factor.ts'
import { deviceBody, deviceResource } from './user-device-representation.ts'
import { partOfUser } from './user-routes.ts'

const reading = { permission: 'mfa:read:userDevice', self: 'p1:read:device' } as const
const updating = { permission: 'mfa:update:userDevice', self: 'p1:update:device', recent: true } as const
const deleting = { permission: 'mfa:delete:userDevice', self: 'p1:delete:device', recent: true } as const

export const deviceCommon = {
  surface: 'management',
  tag: 'Devices',
  source: 'platform-api 3.14.5',
  cors: 'none',
} as const
export const allDevices = partOfUser('/devices')
export const oneDevice = {
  path: `${allDevices.path}/{deviceId}`,
  params: allDevices.params.extend({ deviceId: uuid }),
} as const

/** More than a user can ever have. */
const maximumOrder = 15
export const nickname = z.string().trim().min(1).max(100)

/** A device of the user of the path. @throws Problem NOT_FOUND */
export async function deviceOf(context: Context, owner: User, deviceId: string): Promise<Device> {
  const devices = await devicesOf(context.kernel, context.environment.id, owner.id, context.now)
  const device = devices.find(({ id }) => id === deviceId)
  if (!device) throw notFound()
  return device
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
    const { kernel, environment, now } = context
    const { user } = await controlledDevices(context, userId, deleting)
    const devices = await devicesOf(kernel, environment.id, userId, now)
    const device = devices.find(({ id }) => id === deviceId)
    if (!device) throw notFound()
    const policy = environment.flowConfiguration.defaultDeviceAuthenticationPolicy
    await kernel.storage.commit({
      name: 'delete-device',
      *run() {
        const owner = { environment_id: environment.id, user_id: userId }
        const removed = yield* remove('devices', { ...owner, id: deviceId })
        for (const table of ['fido2_credentials', 'fido2_attestations', 'mobile_devices', 'push_requests']) {
          yield* remove(table, { ...owner, device_id: deviceId })
        }
        if (device.type === 'RECOVERY_CODE') yield* remove('recovery_codes', owner)
        yield* endRecognition(environment.id, userId)
        yield context.record({ subject: { type: 'DEVICE', id: deviceId }, detail: { userId } })
        if (removed === 0 || device.status !== 'ACTIVE') return
        yield* tellOfDevice(kernel, environment, policy, { user, device, change: 'removed', devices }, now)
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
    const { user } = await controlledDevices(context, userId, updating)
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
        .max(maximumOrder),
    }),
  },
  replies: { 200: collectionSchema('devices', deviceResource) },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params: { userId }, body: { order } }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledDevices(context, userId, updating)
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

const removeDeviceOrder = defineOperation({
  ...deviceCommon,
  ...allDevices,
  id: 'removeDeviceOrder',
  method: 'DELETE',
  mediaTypes: [vendorMediaType('devices.order.remove')],
  summary: 'Take the order from the MFA devices of a user, so that none is the default and one is chosen',
  permission: { kind: 'role', population: true, ...updating },
  body: { kind: 'json', schema: z.object({}) },
  replies: { 204: null },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params: { userId } }, context) {
    const { kernel, environment } = context
    await controlledDevices(context, userId, updating)
    await kernel.storage.commit({
      name: 'remove-device-order',
      *run() {
        if ((yield* run(lockUser(environment.id, userId))).length === 0) throw notFound()
        yield* update('devices', { environment_id: environment.id, user_id: userId }, { position: unordered })
        yield context.record({ subject: { type: 'USER', id: userId }, detail: { changed: ['order'] } })
      },
    })
    return { status: 204 }
  },
})

export const userDeviceOperations: readonly Operation[] = [
  listDevices,
  orderDevices,
  removeDeviceOrder,
  readDevice,
  deleteDevice,
  nameDevice,
]
