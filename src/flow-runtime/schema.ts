/** The flow resource and its steps as schemas, for validation of answers and for OpenAPI: authentication-api 1.4, 3.1. */
import { z } from 'zod'
import { linksSchema } from '../contract/hal.ts'
import { agreementContentTypes } from '../flow/agreement.ts'
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

/** Scopes, as they are shown to whoever grants them. */
export const scopesSchema = z.array(
  z.object({ name: z.string(), description: z.string().optional(), resource: z.object({ name: z.string() }) }),
)

/** What is granted in detail, in words. */
export const detailsSchema = z.array(
  z.object({ description: z.string(), lines: z.array(z.object({ label: z.string(), value: z.string() })) }),
)

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
    registration: z
      .object({ external: z.object({ href: z.string() }) })
      .optional()
      .describe('Extension: where accounts are made, if not here.'),
    devices: z.array(deviceView).optional(),
    attributes: z.array(z.object({ name: z.string(), required: z.boolean() })).optional(),
    agreement: z
      .object({
        id: z.string(),
        name: z.string(),
        displayName: z.string(),
        locale: z.string(),
        language: z.object({ id: z.string() }),
        revision: z.object({ id: z.string() }),
        contentType: z.enum(agreementContentTypes),
        declineOption: z.boolean(),
        userExperience: z.object({
          acceptCheckboxText: z.string().optional(),
          continueButtonText: z.string().optional(),
          declineButtonText: z.string().optional(),
        }),
        text: z.string(),
      })
      .optional()
      .describe('What the user is asked to consent to.'),
    scopes: scopesSchema.optional().describe('Extension: what the application asks the user to grant.'),
    deviceAuthorization: z
      .object({
        userCode: z.string(),
        remoteAddress: z.string().optional(),
        requestedAt: z.string().optional(),
        expiresAt: z.string().optional(),
      })
      .optional()
      .describe(
        'Extension: the device that asks; before its code is entered, the code that the address brought along.',
      ),
    authorizationDetails: detailsSchema
      .optional()
      .describe('Extension: what it asks for in detail (RFC 9396), in words.'),
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
  rememberMe: z
    .object({ lifeTime: z.object({ duration: z.number(), timeUnit: z.string() }) })
    .optional()
    .describe('Extension: how long the browser is remembered, where `rememberMe` may be sent with the second factor.'),
  bindingMessage: z
    .string()
    .optional()
    .describe('Extension: what the application shows as well, while a request of its backchannel is to be approved.'),
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
      unavailableDevices: z.array(z.object({ id: z.string() })).optional(),
    })
    .optional(),
  authorizeResponse: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})
