/**
 * The device resource as answers hold it: platform-api 3.14.5. Never: a seed, but in the answer that makes the device
 * (row L19).
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import type { Device } from '../directory/devices.ts'
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
  block: z.object({ status: z.literal('BLOCKED'), blockedAt: timestamp }).optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
})

/** A device as the answer to its creation holds it. */
export const createdDeviceResource = deviceResource.extend({
  secret: z.string().optional().describe('The seed, base32; told once.'),
  keyUri: z.string().optional().describe('What an authenticator app reads from a QR code; told once.'),
  publicKeyCredentialCreationOptions: z
    .string()
    .optional()
    .describe('JSON text: what `navigator.credentials.create` takes; answered within five minutes.'),
})

/** The body of a device. */
export function deviceBody(context: Pick<Context, 'site'>, owner: User, device: Device) {
  const user = userUrl(context, owner)
  const self = `${user}/devices/${device.id}`
  const { id, type, status, nickname, email, phone, blockedAt, createdAt, updatedAt, app, sealedSeed } = device
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
    ...(blockedAt === null ? {} : { block: { status: 'BLOCKED' as const, blockedAt: iso(blockedAt) } }),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
  }
}
