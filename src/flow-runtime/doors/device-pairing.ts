/**
 * Pairing (extension): an app claims a pairing key and becomes a MOBILE device of its user. docs/reference/mobile-devices.md;
 * authentication-api 6.1, platform-api 3.14.5; rows L03, L29, L36.
 *
 * Never: two devices for one pairing key, or for one key of an app; a device of an app that cannot show that it has the
 * private key, or that the policy does not take.
 */
import { z } from 'zod'
import { links, linksSchema } from '../../contract/hal.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { reference, uuid } from '../../contract/validation.ts'
import { pushService } from '../../delivery/push-credentials.ts'
import { sealPushTarget } from '../../delivery/push-target.ts'
import { tellOfDevice } from '../../directory/device-notice.ts'
import { addDevice, type Device, deviceFrom, sealSeed } from '../../directory/devices.ts'
import { keepApp, publicKey, thumbprintOf } from '../../directory/mobile-devices.ts'
import { type PairingKey, tryPairingCode } from '../../directory/pairing-keys.ts'
import { base32, seedBytes } from '../../directory/totp.ts'
import { userWithPasswordById } from '../../directory/users.ts'
import { invalidData, problem } from '../../errors/problem.ts'
import { mobileApplication } from '../../flow/factors/mobile.ts'
import { AlreadyConsumed, UniquenessViolation } from '../../storage/refusals.ts'
import { verifiedClaims } from '../device-caller.ts'

const text = (longest: number) => z.string().trim().min(1).max(longest)

const newDevice = z.object({
  pairingKey: z.string().min(1).max(64),
  application: z.object({ id: uuid }),
  key: publicKey,
  os: text(100).optional(),
  model: text(100).optional(),
  nickname: text(100).optional(),
  pushToken: z.string().min(1).max(4096).optional(),
  pushService: pushService.optional().describe('Whose token it is.'),
})

const pairedDevice = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  application: reference,
  otp: z
    .object({ secret: z.string(), digits: z.int(), period: z.int() })
    .optional()
    .describe('Where the policy takes passcodes of the app: the seed, base32, told once (RFC 6238, SHA-1).'),
})

async function pair(context: Context, body: z.output<typeof newDevice>): Promise<Reply> {
  const { kernel, environment, now, remoteAddress } = context
  await verifiedClaims(context, body.key, { issuer: thumbprintOf(body.key), method: 'POST', path: '/mobileDevices' })
  const check = await tryPairingCode(kernel, environment, { typed: body.pairingKey, remoteAddress, now })
  if (check.result === 'lockedOut') {
    throw problem('LIMITED', { headers: { 'retry-after': String(check.secondsUntilUnlock) } })
  }
  if (check.result === 'rejected') throw wrongPairingKey()
  const found = await userWithPasswordById(kernel, environment.id, check.key.userId)
  if (!found) throw wrongPairingKey()
  const policy = pairingPolicy(context, check.key, body.application.id)
  const id = kernel.world.uuid()
  const seed = policy.otp?.enabled ? kernel.world.bytes(seedBytes) : undefined
  const device = newMobileDevice(context, check.key.userId, id, body, seed)
  const { pushToken: token, pushService: service = null } = body
  const sealedPushToken = token === undefined ? null : sealPushTarget(kernel.world, environment, id, { token, service })
  const app = { key: body.key, os: body.os ?? null, model: body.model ?? null, sealedPushToken }
  try {
    await kernel.storage.commit({
      name: 'pair-device',
      *run() {
        yield* check.claim()
        const present = yield* addDevice(environment, device, now)
        yield* keepApp(environment.id, { id, userId: device.userId, applicationId: body.application.id }, app, now)
        const devices = present.flatMap((row) => deviceFrom(row) ?? [])
        const { defaultDeviceAuthenticationPolicy: telling } = environment.flowConfiguration
        yield* tellOfDevice(kernel, environment, telling, { user: found.user, device, change: 'added', devices }, now)
        yield context.record({
          subject: { type: 'DEVICE', id },
          userId: device.userId,
          detail: { userId: device.userId, type: device.type, pairingKeyId: check.key.id },
        })
      },
    })
  } catch (error) {
    if (error instanceof AlreadyConsumed) throw wrongPairingKey()
    if (error instanceof UniquenessViolation) throw invalidData('UNIQUENESS_VIOLATION', 'key', 'is the key of a device')
    throw error
  }
  kernel.wakeOutbox()
  const self = `${context.site.authBase}/mobileDevices/${id}`
  const told = {
    _links: links({ self, authenticationRequests: `${self}/authenticationRequests`, pushToken: `${self}/pushToken` }),
    id,
    environment: { id: environment.id },
    application: body.application,
    ...(seed ? { otp: { secret: base32(seed), digits: 6, period: 30 } } : {}),
  }
  return { status: 201, body: told, headers: { location: self } }
}

function wrongPairingKey(): Error {
  return invalidData('INVALID_VALUE', 'pairingKey', 'The pairing key is not valid.')
}

/** What the policy says of the application that a key pairs. @throws Problem INVALID_DATA */
function pairingPolicy({ environment }: Context, key: PairingKey, applicationId: string) {
  const { mobile } = environment.flowConfiguration.defaultDeviceAuthenticationPolicy
  const policy = key.applicationIds.includes(applicationId) ? mobileApplication(mobile, applicationId) : undefined
  if (policy && !policy.pairingDisabled) return policy
  throw invalidData('INVALID_VALUE', 'application.id', 'is not one that the pairing key pairs')
}

function newMobileDevice(
  { kernel, environment, now }: Context,
  userId: string,
  id: string,
  { nickname }: z.output<typeof newDevice>,
  seed: Buffer | undefined,
): Device {
  return {
    id,
    userId,
    type: 'MOBILE',
    status: 'ACTIVE',
    nickname: nickname ?? null,
    email: null,
    phone: null,
    extension: null,
    sealedSeed: seed ? sealSeed(kernel.world, environment, id, seed) : null,
    lastStep: null,
    blockedAt: null,
    guesses: null,
    createdAt: now,
    updatedAt: now,
  }
}

export const devicePairingOperations: readonly Operation[] = [
  defineOperation({
    surface: 'management',
    tag: 'Mobile devices',
    source: 'docs/reference/mobile-devices.md',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    id: 'pairMobileDevice',
    method: 'POST',
    path: '/{environmentId}/mobileDevices',
    summary: 'Claim a pairing key: the app becomes a MOBILE device of its user',
    params: z.object({ environmentId: uuid }),
    body: { kind: 'json', schema: newDevice },
    replies: { 201: pairedDevice },
    errors: ['INVALID_DATA', 'INVALID_TOKEN', 'REQUEST_FAILED', 'LIMITED', 'NOT_FOUND'],
    event: 'DEVICE.CREATED',
    handle: ({ body }, context) => pair(context, body),
  }),
]
