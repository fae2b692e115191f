/**
 * The device resource as answers hold it: platform-api 3.14.5. Never: a seed, but in the answer that makes the device
 * (row L19).
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { type Device, deviceLockedUntil } from '../directory/devices.ts'
import type { User } from '../directory/users.ts'
import { deviceTypes } from '../flow/factors/device.ts'
import { userUrl } from './user-representation.ts'

export const deviceResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  type: z.enum(deviceTypes),
  status: z.enum(['ACTIVE', 'ACTIVATION_REQUIRED']),
  nickname: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
  application: reference.optional(),
  os: z.string().optional(),
  model: z.string().optional(),
  pushEnabled: z.boolean().optional(),
  otpEnabled: z.boolean().optional().describe('Whether the app shows passcodes.'),
  extension: z.string().optional(),
  block: z.object({ status: z.literal('BLOCKED'), blockedAt: timestamp }).optional(),
  lock: z
    .object({ status: z.literal('LOCKED'), expiresAt: timestamp })
    .optional()
    .describe('After too many wrong tries at the devices of the user; over at that time, or by `device.unlock`.'),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** A device as the answer to its creation holds it. */
export const createdDeviceResource = deviceResource.extend({
  secret: z.string().optional().describe('The seed, base32; told once.'),
  keyUri: z.string().optional().describe('What an authenticator app reads from a QR code; told once.'),
  recoveryCodes: z
    .array(z.string())
    .optional()
    .describe('Extension: the codes of a RECOVERY_CODE device; told once. Codes the user had before are dead.'),
  publicKeyCredentialCreationOptions: z
    .string()
    .optional()
    .describe('JSON text: what `navigator.credentials.create` takes; answered within five minutes.'),
})

/** The body of a device. Whether it is locked is said by the environment's default policy. */
export function deviceBody(context: Pick<Context, 'site' | 'environment' | 'now'>, owner: User, device: Device) {
  const user = userUrl(context, owner)
  const self = `${user}/devices/${device.id}`
  const policy = context.environment.flowConfiguration.defaultDeviceAuthenticationPolicy
  const lockedUntil = deviceLockedUntil(device, policy, context.now)
  const { id, type, status, nickname, email, phone, extension, blockedAt, createdAt, updatedAt } = device
  const { app, sealedSeed } = device
  return {
    _links: links({
      self,
      environment: `${context.site.apiBase}/environments/${owner.environmentId}`,
      user,
      ...(status === 'ACTIVATION_REQUIRED' ? { 'device.activate': self } : {}),
    }),
    id,
    environment: { id: owner.environmentId },
    user: { id: owner.id },
    type,
    status,
    ...(nickname === null ? {} : { nickname }),
    ...(email === null ? {} : { email }),
    ...(phone === null ? {} : { phone }),
    ...(app
      ? {
          application: { id: app.applicationId },
          ...(app.os === null ? {} : { os: app.os }),
          ...(app.model === null ? {} : { model: app.model }),
          pushEnabled: app.isPushEnabled,
          otpEnabled: sealedSeed !== null,
        }
      : {}),
    ...(extension === null ? {} : { extension }),
    ...(blockedAt === null ? {} : { block: { status: 'BLOCKED' as const, blockedAt: iso(blockedAt) } }),
    ...(lockedUntil === undefined ? {} : { lock: { status: 'LOCKED' as const, expiresAt: iso(lockedUntil) } }),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}
