/**
 * What is done with an MFA device of a user by vendor media types on its address: activate, send the activation code
 * again, block, unblock, unlock. platform-api 3.14.5, 1.13; rows L03, L12, L19.
 *
 * Never: a device activated by the passcode of another one.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { tellOfDevice } from '../directory/device-notice.ts'
import { type Device, devicesOf, positionBehind } from '../directory/devices.ts'
import { verifyAttestation } from '../directory/fido2.ts'
import { fido2Terms, keepCredential } from '../directory/fido2-devices.ts'
import { challengeFor, challengeMilliseconds } from '../directory/fido2-options.ts'
import { guessesAtDevices, tryPasscode } from '../directory/passcodes.ts'
import { endRecognition } from '../directory/recognition.ts'
import type { User } from '../directory/users.ts'
import { takesPasscode } from '../flow/factors/device.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { type DeviceAuthenticationPolicy, triesOf } from '../flow/factors/device-authentication-policy.ts'
import { devicePolicy } from '../flow-runtime/device-policy.ts'
import { clearGuesses } from '../limits/guesses.ts'
import { type Columns, remove, update } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { AlreadyConsumed, UniquenessViolation } from '../storage/refusals.ts'
import { devicesOfUser, lockUser, pairingPolicyOf } from '../storage/sql/devices.ts'
import type { Reach } from './user-control.ts'
import { controlledDevices } from './own-factor.ts'
import { deviceBody, deviceResource } from './user-device-representation.ts'
import { activationCode } from './user-device-create.ts'
import { deviceCommon, deviceOf, oneDevice } from './user-devices.ts'

const updating = { permission: 'mfa:update:userDevice', recent: true } as const
/** Whoever may add a device may show that it is theirs; blocking is for administrators. */
const activating = { ...updating, self: 'p1:create:device' } as const

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
  reach: Reach,
  columnsOf: (device: Device) => Columns,
  also: () => UnitBody<void> = function* () {},
  detail: object = {},
): Promise<Reply> {
  const { kernel, environment, now } = context
  const { user } = await controlledDevices(context, userId, reach)
  const columns = { ...columnsOf(await deviceOf(context, user, deviceId)), updated_at: now }
  await kernel.storage.commit({
    name: 'change-device',
    *run() {
      yield* also()
      const key = { environment_id: environment.id, user_id: userId, id: deviceId }
      if (!(yield* update('devices', key, columns))) throw notFound()
      yield context.record({ subject: { type: 'DEVICE', id: deviceId }, detail: { userId, ...detail } })
    },
  })
  return { status: 200, body: deviceBody(context, user, await deviceOf(context, user, deviceId)) }
}

const activateDevice = defineOperation({
  ...declared,
  permission: { kind: 'role', population: true, ...activating },
  id: 'activateDevice',
  mediaTypes: [vendorMediaType('device.activate')],
  summary: 'Activate an MFA device by a passcode of it, or by the attestation of a FIDO2 device',
  body: {
    kind: 'json',
    schema: z.object({
      otp: z.string().min(1).max(64).optional(),
      attestation: z.string().min(1).max(20_000).optional().describe('JSON text: the answer of the browser.'),
      origin: z.string().max(300).optional(),
    }),
  },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'LIMITED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.ACTIVATED',
  async handle({ params, body }, context) {
    const { kernel, environment, now } = context
    const { user } = await controlledDevices(context, params.userId, activating)
    const device = await deviceOf(context, user, params.deviceId)
    if (device.status === 'ACTIVE') throw alreadyActive()
    if (!takesPasscode(device.type)) return activateFido2(context, user, device, body)
    if (body.otp === undefined) throw invalidData('REQUIRED_VALUE', 'otp', 'must not be null')
    const bound = triesOf(await pairingPolicy(context, device), device.type)
    const attempt = { device, use: { kind: 'activation' }, typed: body.otp, bound, now } as const
    const check = await tryPasscode(kernel, environment, attempt)
    if (check.result === 'lockedOut') {
      throw problem('LIMITED', { headers: { 'retry-after': String(check.secondsUntilUnlock) } })
    }
    if (check.result === 'rejected') throw wrongPasscode()
    try {
      return await activate(context, user, device, check.settle)
    } catch (error) {
      throw error instanceof AlreadyConsumed ? wrongPasscode() : error
    }
  },
})

/** The policy that a device is made under: the default one, unless another was named; that too, where it is gone. */
async function pairingPolicy({ kernel, environment }: Context, { id }: Device): Promise<DeviceAuthenticationPolicy> {
  const [pairing] = await kernel.storage.read(pairingPolicyOf(environment.id, id))
  return devicePolicy(environment, pairing?.policy_id ?? null)
}

/** Activates a device by what proved it, and tells its user elsewhere (row L36). */
async function activate(
  context: Context,
  user: User,
  device: Device,
  prove: () => UnitBody<void>,
  detail: object = {},
): Promise<Reply> {
  const { kernel, environment, now } = context
  const policy = await pairingPolicy(context, device)
  const devices = await devicesOf(kernel, environment.id, user.id, now)
  const activated = { status: 'ACTIVE', expires_at: null } as const
  return change(
    context,
    { userId: user.id, deviceId: device.id },
    activating,
    () => activated,
    function* () {
      yield* prove()
      yield* placeLast(environment.id, device, now)
      yield* remove('device_pairings', { environment_id: environment.id, device_id: device.id })
      yield* tellOfDevice(kernel, environment, policy, { user, device, change: 'added', devices }, now)
    },
    detail,
  )
}

/** Devices are in the order in which they became active: the first is the default (platform-api 3.14.5). */
function* placeLast(environmentId: string, { id, userId }: Device, now: number): UnitBody<void> {
  yield* run(lockUser(environmentId, userId))
  const others = (yield* run(devicesOfUser(environmentId, userId, now))).filter((row) => row.id !== id)
  const active = others.filter(({ status }) => status === 'ACTIVE')
  const key = { environment_id: environmentId, user_id: userId, id }
  if (active.length > 0) yield* update('devices', key, { position: positionBehind(active) })
}

/** Keeps the credential that the browser made (rows L22, L29). */
async function activateFido2(
  context: Context,
  user: User,
  device: Device,
  { attestation, origin }: { readonly attestation?: string | undefined; readonly origin?: string | undefined },
): Promise<Reply> {
  const { kernel, environment, now } = context
  const { id: deviceId, userId, createdAt } = device
  if (attestation === undefined) throw invalidData('REQUIRED_VALUE', 'attestation', 'must not be null')
  const terms = fido2Terms(kernel, environment, await pairingPolicy(context, device))
  const challenge = challengeFor(environment, { kind: 'attestation', userId, deviceId, createdAt })
  const roots = [terms.policy.attestationRoots ?? '', kernel.config.fido2AttestationRoots ?? '']
  const isInTime = now - createdAt <= challengeMilliseconds && origin === terms.relyingParty.origin
  const credential = isInTime ? await verifyAttestation(attestation, { ...terms, challenge, roots, now }) : undefined
  if (!credential) throw wrongAttestation()
  const keep = () => keepCredential(environment.id, { userId, deviceId }, credential, now)
  try {
    return await activate(context, user, device, keep, { attestation: { ...credential.attestation } })
  } catch (error) {
    throw error instanceof UniquenessViolation ? wrongAttestation() : error
  }
}

function wrongAttestation(): Error {
  return invalidData('INVALID_VALUE', 'attestation', 'The attestation is not valid.')
}

function wrongPasscode(): Error {
  return invalidData('INVALID_OTP', 'otp', 'The passcode is not valid.')
}

function alreadyActive(): Error {
  const message = 'The device is active already.'
  return problem('REQUEST_FAILED', { details: [{ code: 'CONSTRAINT_VIOLATION', message }] })
}

const sendActivationCode = defineOperation({
  ...declared,
  permission: { kind: 'role', population: true, ...activating },
  id: 'sendDeviceActivationCode',
  mediaTypes: [vendorMediaType('device.sendActivationCode')],
  summary: 'Send the activation code of an e-mail or phone device again',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'REQUEST_FAILED', 'LIMITED', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UPDATED',
  async handle({ params }, context) {
    const { user } = await controlledDevices(context, params.userId, activating)
    const device = await deviceOf(context, user, params.deviceId)
    if (device.status === 'ACTIVE') throw alreadyActive()
    const sending = await activationCode(context, user, device, await pairingPolicy(context, device))
    const reply = await change(context, params, activating, () => ({}), sending)
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
    change(
      context,
      params,
      updating,
      ({ blockedAt }) => ({ blocked_at: blockedAt ?? context.now }),
      () => endRecognition(context.environment.id, params.userId),
    ),
})

const unblockDevice = defineOperation({
  ...declared,
  id: 'unblockDevice',
  mediaTypes: [vendorMediaType('device.unblock')],
  summary: 'Let a blocked MFA device be used again',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UNBLOCKED',
  handle: ({ params }, context) => change(context, params, updating, () => ({ blocked_at: null })),
})

const unlockDevice = defineOperation({
  ...declared,
  id: 'unlockDevice',
  mediaTypes: [vendorMediaType('device.unlock')],
  summary: 'Let MFA devices that are locked by wrong tries be tried again',
  body: { kind: 'json', schema: nothing },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE.UNLOCKED',
  handle: ({ params }, context) =>
    change(
      context,
      params,
      updating,
      () => ({}),
      function* () {
        // Tries are counted for all devices of the user together (row L10), and are given back together.
        yield clearGuesses(guessesAtDevices(context.environment.id, params.userId))
      },
    ),
})

export const userDeviceActionOperations: readonly Operation[] = [
  activateDevice,
  sendActivationCode,
  blockDevice,
  unblockDevice,
  unlockDevice,
]
