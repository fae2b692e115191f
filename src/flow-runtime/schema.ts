/** The flow resource and its steps as schemas, for validation of answers and for OpenAPI: authentication-api 1.4, 3.1. */
import { z } from 'zod'
import { linksSchema } from '../contract/hal.ts'
import { deviceView } from '../flow/factors/device.ts'

/** A step of the first edition. */
export const stepSchema = z.object({
  _links: linksSchema,
  id: z.string(),
  type: z.string(),
  status: z.enum(['PENDING', 'SKIPPED', 'REQUIRED', 'COMPLETED']),
  reason: z.object({ code: z.string(), message: z.string() }),
})

const providerSchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  icon: z.object({ id: z.string(), href: z.string() }).optional(),
  _links: linksSchema,
})

/** The flow resource. */
export const flowResourceSchema = z.object({
  _links: linksSchema,
  _embedded: z.object({
    user: z.object({ id: z.string(), username: z.string(), name: z.looseObject({}).optional() }).optional(),
    application: z.object({ name: z.string(), icon: z.object({ id: z.string(), href: z.string() }).optional() }),
    passwordPolicy: z.looseObject({}).optional(),
    socialProviders: z.array(providerSchema).optional(),
    identityProvider: providerSchema.optional(),
    externalAuthentication: z
      .object({ identityProvider: z.object({ id: z.string() }), attributes: z.record(z.string(), z.string()) })
      .optional()
      .describe('Extension: what the identity provider said, while it is to be confirmed.'),
    devices: z.array(deviceView).optional(),
    attributes: z.array(z.object({ name: z.string(), required: z.boolean() })).optional(),
    requiredStep: stepSchema.optional(),
  }),
  id: z.string(),
  environment: z.object({ id: z.string() }),
  session: z.object({ id: z.string() }).optional(),
  bypassAllowed: z.boolean().optional(),
  selectedDevice: z.object({ id: z.string() }).optional(),
  publicKeyCredentialRequestOptions: z.string().optional(),
  numberMatching: z
    .object({ number: z.string() })
    .optional()
    .describe('Extension: the number to be typed into the app, while a push request waits for its answer.'),
  promptText: z.string().optional(),
  resumeUrl: z.string(),
  status: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      reason: z.string().optional().describe('Extension: why, in a word of the webhook that refused.'),
    })
    .optional(),
  authorizeResponse: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})
