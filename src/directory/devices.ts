/**
 * MFA devices as the runtime sees them: authentication-api 6.1, platform-api 3.14.5. A device belongs to one user and is
 * only ever found through them (row L01).
 *
 * Never: a seed in clear in storage, or read again once its device is active (row L19).
 */
import { notFound, problem } from '../errors/problem.ts'
import type { Environment } from '../environment/snapshot.ts'
import {
  type DeviceFacts,
  type DeviceType,
  deviceTypes,
  maskEmail,
  maskPhone,
  type OneTimeDevice,
} from '../flow/factors/device.ts'
import { type DeviceAuthenticationPolicy, triesOf } from '../flow/factors/device-authentication-policy.ts'
import type { Kernel } from '../kernel.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import { insert } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { type DeviceRow, devicesOfUser, lockUser } from '../storage/sql/devices.ts'
import type { World } from '../world.ts'

/** A device. Times are epoch milliseconds. */
export interface Device {
  readonly id: string
  readonly userId: string
  readonly type: DeviceType
  readonly status: 'ACTIVE' | 'ACTIVATION_REQUIRED'
  readonly nickname: string | null
  readonly email: string | null
  /** As written: E.164, perhaps with dots, spaces and brackets. */
  readonly phone: string | null
  /** What is dialled once a call is taken: digits, `*`, `#`, and commas for pauses. */
  readonly extension: string | null
  readonly sealedSeed: string | null
  readonly lastStep: number | null
  readonly blockedAt: number | null
  /** The user's devices have no order: none of them is the default (platform-api 3.14.5). */
  readonly isUnordered?: true
  /** The tries at all devices of the user, and when they are forgotten; null: there were none lately. */
  readonly guesses: { readonly count: number; readonly until: number } | null
  readonly createdAt: number
  readonly updatedAt: number
  /** The app on a MOBILE device. */
  readonly app?: {
    readonly applicationId: string
    readonly os: string | null
    readonly model: string | null
    readonly isPushEnabled: boolean
  }
}

/** A device that is not activated by then goes. */
export const activationMilliseconds = 86_400_000

/** The devices of a user in their order; one read. */
export async function devicesOf(
  { storage }: Pick<Kernel, 'storage'>,
  environmentId: string,
  userId: string,
  now: number,
): Promise<readonly Device[]> {
  return (await storage.read(devicesOfUser(environmentId, userId, now))).flatMap((row) => deviceFrom(row) ?? [])
}

/** The device of a row; nothing for a kind that only a newer release knows. */
export function deviceFrom(row: DeviceRow): Device | undefined {
  const type = deviceTypes.find((known) => known === row.type)
  if (!type) return undefined
  return {
    id: row.id,
    userId: row.user_id,
    type,
    status: row.status === 'ACTIVE' ? 'ACTIVE' : 'ACTIVATION_REQUIRED',
    nickname: row.nickname,
    email: row.email,
    ...phoneFrom(row.phone),
    sealedSeed: row.sealed_seed,
    lastStep: row.last_step,
    blockedAt: row.blocked_at,
    guesses: row.guesses === null ? null : { count: row.guesses, until: row.guesses_until ?? 0 },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.position === unordered ? { isUnordered: true as const } : {}),
    ...(row.application_id === null
      ? {}
      : {
          app: {
            applicationId: row.application_id,
            os: row.os,
            model: row.model,
            isPushEnabled: row.push_enabled === 1,
          },
        }),
  }
}

/**
 * Adds a device behind those that its user has; for the unit that makes it.
 * @returns those that were there before
 * @throws Problem NOT_FOUND when there is no such user, REQUEST_FAILED when they have as many as they may
 */
export function* addDevice(
  { id: environmentId, mfaSettings }: Environment,
  device: Device,
  now: number,
): UnitBody<readonly DeviceRow[]> {
  const { maxAllowedDevices } = mfaSettings.pairing
  if ((yield* run(lockUser(environmentId, device.userId))).length === 0) throw notFound()
  const present = yield* run(devicesOfUser(environmentId, device.userId, now))
  if (present.length >= maxAllowedDevices) throw tooMany(maxAllowedDevices)
  yield* insert('devices', { ...rowOf(environmentId, device), position: positionBehind(present) })
  return present
}

/** The position of every device of a user whose devices have no order. */
export const unordered = 0

/** The position behind devices; none, where they have no order. */
export function positionBehind(devices: readonly Pick<DeviceRow, 'position'>[]): number {
  const last = Math.max(unordered, ...devices.map(({ position }) => position))
  return devices.length > 0 && last === unordered ? unordered : last + 1
}

function tooMany(maximumAllowed: number): Error {
  const message = 'Maximum allowed devices has been reached'
  const innerError = { maximumAllowed }
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
    phone: phoneColumn(device),
    sealed_seed: device.sealedSeed,
    last_step: null,
    blocked_at: null,
    created_at: device.createdAt,
    updated_at: device.updatedAt,
    expires_at: device.status === 'ACTIVE' ? null : device.createdAt + activationMilliseconds,
  }
}

/** A phone number with its extension in one column, as people write them: the extension behind a comma. */
export function phoneColumn({ phone, extension }: Pick<Device, 'phone' | 'extension'>): string | null {
  return phone !== null && extension !== null ? `${phone},${extension}` : phone
}

function phoneFrom(column: string | null): Pick<Device, 'phone' | 'extension'> {
  const [, phone = column, extension = null] = /^([^,]*),(.*)$/.exec(column ?? '') ?? []
  return { phone, extension }
}

/** Until when no try at a device is looked at under a policy, since there were too many; undefined while they are. */
export function deviceLockedUntil(
  { type, guesses }: Pick<Device, 'type' | 'guesses'>,
  policy: DeviceAuthenticationPolicy,
  now: number,
): number | undefined {
  const isLocked = guesses !== null && guesses.until > now && guesses.count >= triesOf(policy, type).guesses
  return isLocked ? guesses.until : undefined
}

/** What a flow may know of a device. */
export function deviceFacts(device: Device): DeviceFacts {
  const { id, type, status, blockedAt, nickname, email, phone, app, sealedSeed } = device
  const target = email === null ? phone && maskPhone(phone) : maskEmail(email)
  const mobile = app && { applicationId: app.applicationId, showsPasscodes: sealedSeed !== null }
  const order = device.isUnordered ? { isUnordered: true as const } : {}
  return { id, type, status, isBlocked: blockedAt !== null, nickname, target, ...order, ...(mobile ? { mobile } : {}) }
}

function place(environmentId: string, deviceId: string): SealContext {
  return { environmentId, table: 'devices', row: deviceId, column: 'sealed_seed' }
}

/** Seals the seed of a device. */
export function sealSeed(world: World, { id, dataKey }: Environment, deviceId: string, seed: Buffer): string {
  return seal(dataKey, seed, place(id, deviceId), world)
}

/** Opens the seed of a device. @throws UnsealFailed */
export function openSeed({ id, dataKey }: Environment, device: Pick<Device, 'id' | 'sealedSeed'>): Buffer {
  return open(dataKey, device.sealedSeed ?? '', place(id, device.id))
}

/** A one-time device as one of a user, for as long as a request lasts. */
export function transientDevice({ id, type, address }: OneTimeDevice, userId: string, now: number): Device {
  return {
    id,
    userId,
    type,
    status: 'ACTIVE',
    nickname: null,
    email: type === 'EMAIL' ? address : null,
    phone: type === 'EMAIL' ? null : address,
    extension: null,
    sealedSeed: null,
    lastStep: null,
    blockedAt: null,
    guesses: null,
    createdAt: now,
    updatedAt: now,
  }
}
