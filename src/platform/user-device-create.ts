/**
 * Adding an MFA device to a user: `POST ~/users/{userId}/devices`, platform-api 3.14.5. An administrator's e-mail or
 * phone device is active at once; an authenticator app is active once a passcode of it was seen, a FIDO2 device once its
 * credential was (user-device-actions.ts).
 *
 * Never: a device of a user's own making that is active before it has proved itself; a device of a kind that the policy does not let be paired; a seed that the client chose (row L20); more devices
 * than a user may have, however many are made at once.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { tellOfDevice } from '../directory/device-notice.ts'
import { activationMilliseconds, addDevice, type Device, deviceFrom, sealSeed } from '../directory/devices.ts'
import { credentialsOf, fido2Terms } from '../directory/fido2-devices.ts'
import { challengeFor, creationOptions } from '../directory/fido2-options.ts'
import { sendPasscode } from '../directory/passcodes.ts'
import { keepRecoveryCodes, newRecoveryCodes } from '../directory/recovery-codes.ts'
import { base32, keyUri, seedBytes } from '../directory/totp.ts'
import type { User } from '../directory/users.ts'
import { forbidden } from '../access/actor.ts'
import { invalidData, notFound, problem } from '../errors/problem.ts'
import { unavailable } from '../flow/actions/unavailable.ts'
import { type DeviceType, deviceTypes, isSentTo } from '../flow/factors/device.ts'
import {
  allows,
  type DeviceAuthenticationPolicy,
  limitedBy,
  secondsOf,
  settingsOf,
} from '../flow/factors/device-authentication-policy.ts'
import { optionalAttributes } from '../flow/user-attributes.ts'
import { insert, remove } from '../storage/operations.ts'
import { run, type UnitBody } from '../storage/port.ts'
import { lockUser } from '../storage/sql/devices.ts'
import { controlledDevices } from './own-factor.ts'
import { createdDeviceResource, deviceBody } from './user-device-representation.ts'
import { allDevices, deviceCommon, nickname } from './user-devices.ts'

const creating = { permission: 'mfa:create:userDevice', self: 'p1:create:device', recent: true } as const

/** Where passcodes may be sent. */
export const addressMembers = {
  email: optionalAttributes.email.optional(),
  phone: z
    .string()
    .max(40, { abort: true })
    .regex(/^\+[1-9](?:[ .()-]{0,2}[0-9]){6,14}$/, 'must be in E.164 format')
    .optional(),
} as const

const newDevice = z.object({
  type: z.enum(deviceTypes).exclude(['MOBILE']).describe('A MOBILE device is made by its app, with a pairing key.'),
  ...addressMembers,
  extension: z
    .string()
    .regex(/^(?=.*[0-9*#])[0-9*#,]{1,20}$/, 'must be digits, *, # and commas')
    .optional()
    .describe('For voice devices, where the MFA settings allow it: what is dialled once the call is taken.'),
  nickname: nickname.optional(),
  status: z.enum(['ACTIVE', 'ACTIVATION_REQUIRED']).optional(),
  policy: z.object({ id: uuid }).optional(),
  rp: z.object({ id: z.string().max(253), name: z.string().max(256).optional() }).optional(),
  testMode: z.boolean().optional(),
  notification: z.looseObject({}).optional(),
})

/** The policy that lets a device be paired. @throws Problem INVALID_DATA */
function pairingPolicy(
  { environment }: Context,
  type: Exclude<DeviceType, 'MOBILE'>,
  policyId: string | undefined,
): DeviceAuthenticationPolicy {
  const { deviceAuthenticationPolicies: policies, defaultDeviceAuthenticationPolicy } = environment.flowConfiguration
  const policy = policyId === undefined ? defaultDeviceAuthenticationPolicy : policies.get(policyId)
  if (!policy) throw invalidData('INVALID_VALUE', 'policy.id', 'is not a device authentication policy')
  if (!allows(policy, type) || settingsOf(policy, type)?.pairingDisabled)
    throw invalidData('INVALID_VALUE', 'type', 'is not allowed by the policy')
  return policy
}

/** What the browser hands to a new FIDO2 device. @throws Problem INVALID_DATA for a relying party of another server */
async function fido2Options(
  { kernel, environment }: Context,
  user: User,
  { id: deviceId, createdAt }: Device,
  devicePolicy: DeviceAuthenticationPolicy,
  rp: { readonly id: string } | undefined,
): Promise<string> {
  const terms = fido2Terms(kernel, environment, devicePolicy)
  if (rp && rp.id !== terms.relyingParty.id) {
    throw invalidData('INVALID_VALUE', 'rp.id', `must be ${terms.relyingParty.id}, the host name of the sign-on pages`)
  }
  const credentials = await credentialsOf(kernel, environment.id, user.id)
  const challenge = challengeFor(environment, { kind: 'attestation', userId: user.id, deviceId, createdAt })
  return creationOptions(
    { ...terms, challenge, credentialIds: credentials.map(({ id }) => id) },
    user,
    environment.name,
  )
}

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
    const missing = [...unavailable(body.testMode, 'testMode'), ...unavailable(body.notification, 'notification')]
    if (missing.length > 0) throw problem('INVALID_DATA', { details: missing })
    const { user, asSelf } = await controlledDevices(context, userId, creating)
    if (asSelf && body.status === 'ACTIVE') throw forbidden()
    const policy = pairingPolicy(context, body.type, body.policy?.id)
    const { phoneExtensions } = environment.mfaSettings
    const address = addressIn(body, phoneExtensions.enabled)
    const id = kernel.world.uuid()
    const seed = body.type === 'TOTP' ? kernel.world.bytes(seedBytes) : undefined
    const codes = body.type === 'RECOVERY_CODE' ? newRecoveryCodes(kernel.world) : undefined
    // A user shows first that they have what they add; a set of codes is theirs as soon as they are told it.
    const isActive = codes || (isSentTo(body.type) && !asSelf && body.status !== 'ACTIVATION_REQUIRED')
    const device: Device = {
      id,
      userId,
      type: body.type,
      status: isActive ? 'ACTIVE' : 'ACTIVATION_REQUIRED',
      nickname: body.nickname ?? null,
      ...address,
      sealedSeed: seed ? sealSeed(kernel.world, environment, id, seed) : null,
      lastStep: null,
      blockedAt: null,
      guesses: null,
      createdAt: now,
      updatedAt: now,
    }
    const options = body.type === 'FIDO2' ? await fido2Options(context, user, device, policy, body.rp) : undefined
    const sending = isActive || seed || options ? undefined : await activationCode(context, user, device, policy)
    await kernel.storage.commit({
      name: 'create-device',
      *run() {
        if (codes) {
          if ((yield* run(lockUser(environment.id, userId))).length === 0) throw notFound()
          yield* remove('devices', { environment_id: environment.id, user_id: userId, type: 'RECOVERY_CODE' })
          yield* keepRecoveryCodes(environment, userId, codes, now)
        }
        const present = yield* addDevice(environment, device, now)
        if (body.policy && !isActive) yield* rememberPolicy(environment.id, device, body.policy.id)
        if (sending) yield* sending()
        if (isActive) {
          const devices = present.flatMap((row) => deviceFrom(row) ?? [])
          yield* tellOfDevice(kernel, environment, policy, { user, device, change: 'added', devices }, now)
        }
        yield context.record({ subject: { type: 'DEVICE', id }, detail: { userId, type: device.type } })
      },
    })
    if (sending) kernel.wakeOutbox()
    const uri = (bytes: Buffer) => keyUri(environment.name, user.username, bytes, policy.totp.uriParameters)
    const told = seed ? { secret: base32(seed), keyUri: uri(seed) } : {}
    const asked = options ? { publicKeyCredentialCreationOptions: options } : {}
    const kept = codes ? { recoveryCodes: codes } : {}
    const written = deviceBody(context, user, device)
    return {
      status: 201,
      body: { ...written, ...told, ...asked, ...kept },
      headers: { location: written._links['self']?.href ?? '' },
    }
  },
})

/** A device is activated under the policy that it was made under. */
function* rememberPolicy(environmentId: string, { id, userId, createdAt }: Device, policyId: string): UnitBody<void> {
  const expiresAt = createdAt + activationMilliseconds
  const pairing = { environment_id: environmentId, device_id: id, user_id: userId, policy_id: policyId }
  yield* insert('device_pairings', { ...pairing, expires_at: expiresAt })
}

/** Where the passcodes of a new device go. @throws Problem INVALID_DATA */
function addressIn(
  { type, email, phone, extension: dialled }: z.output<typeof newDevice>,
  hasExtensions: boolean,
): Pick<Device, 'email' | 'phone' | 'extension'> {
  const extension = dialled ?? null
  if (extension !== null && type !== 'VOICE') throw invalidData('INVALID_VALUE', 'extension', 'is for VOICE devices')
  if (extension !== null && !hasExtensions) {
    throw invalidData('INVALID_VALUE', 'extension', 'is not allowed by the MFA settings')
  }
  if (!isSentTo(type)) return { email: null, phone: null, extension }
  const member = type === 'EMAIL' ? 'email' : 'phone'
  const address = { email: null, phone: null, extension, [member]: { email, phone }[member] ?? null }
  if (address[member] === null) throw invalidData('REQUIRED_VALUE', member, 'must not be null')
  return address
}

/**
 * Prepares the passcode that activates a device which passcodes are sent to.
 * @param policy the one that the device is made under
 * @throws Problem LIMITED; INVALID_DATA for one that makes its own
 */
export async function activationCode(context: Context, user: User, device: Device, policy: DeviceAuthenticationPolicy) {
  const { kernel, environment, now } = context
  const { type } = device
  if (!isSentTo(type)) throw invalidData('INVALID_VALUE', 'type', 'No code is sent to a device of this type.')
  const { otpLength, lifeTime } = settingsOf(policy, type).otp
  const sending = await sendPasscode(kernel, environment, {
    user,
    device: { ...device, type },
    use: { kind: 'activation' },
    applicationName: '',
    form: { length: otpLength, lifetime: secondsOf(lifeTime), ...limitedBy(policy) },
    locales: [],
    now,
  })
  if (sending.result === 'sent') return sending.send
  throw problem('LIMITED', { headers: { 'retry-after': String(sending.secondsUntilUnlock) } })
}

export const userDeviceCreationOperations: readonly Operation[] = [createDevice]
