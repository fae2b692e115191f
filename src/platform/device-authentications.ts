/**
 * Stand-alone MFA: `POST /{environmentId}/deviceAuthentications` and what follows on `…/{id}`, authentication-api 6.4. An
 * application of its own right has a user prove a second factor, without a flow; what comes of it opens no session.
 *
 * Never: a token of a user (401); a device of somebody else (row L01); an address that is kept.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { invalidData, problem } from '../errors/problem.ts'
import { multiFactorAuthentication } from '../flow/actions/multi-factor-authentication.ts'
import { unavailable } from '../flow/actions/unavailable.ts'
import {
  cancelling,
  deviceAuthenticationActions,
  type DeviceAuthenticationEvent,
  newDeviceAuthentication,
} from '../flow/device-authentication.ts'
import { type OneTimeDevice, sentCodeTypes } from '../flow/factors/device.ts'
import { allows } from '../flow/factors/device-authentication-policy.ts'
import { readRequest } from '../flow/media-types.ts'
import { clientContext, sentTransactionText } from '../flow/transaction-text.ts'
import { refusalProblem } from '../flow-runtime/runtime.ts'
import { deviceAuthenticationBody, deviceAuthenticationResource } from './device-authentication-representation.ts'
import {
  authenticatedUser,
  authenticating,
  beginDeviceAuthentication,
  carryOn,
  loadDeviceAuthentication,
} from './device-authentication-steps.ts'
import { addressMembers } from './user-device-create.ts'

const collection = {
  path: '/{environmentId}/deviceAuthentications',
  params: z.object({ environmentId: uuid }),
} as const
const single = {
  path: `${collection.path}/{deviceAuthenticationId}`,
  params: collection.params.extend({ deviceAuthenticationId: uuid }),
} as const

const declared = {
  surface: 'flow',
  tag: 'Device authentications',
  source: 'authentication-api 6.4',
  cors: 'none',
  permission: { kind: 'role', population: true, applicationOnly: true, ...authenticating },
} as const

const oneTime = z.object({ type: z.enum(sentCodeTypes), ...addressMembers, testMode: z.boolean().optional() })

const newAuthentication = z.object({
  user: reference,
  policy: reference.optional(),
  application: reference.optional().describe('What the user is told that they sign on to.'),
  selectedDevice: z
    .object({ id: uuid.optional(), oneTime: oneTime.optional().describe('An address that is used this once.') })
    .optional(),
  webAuthn: z.looseObject({}).optional(),
  authenticationCode: z.string().max(100).optional(),
  notification: z
    .object({ template: sentTransactionText })
    .optional()
    .describe('What the user is told of the transaction that they approve, in the place of the usual.'),
  clientContext: clientContext.optional().describe('What the app of the user is told besides.'),
})

type NewAuthentication = z.output<typeof newAuthentication>

const create = defineOperation({
  ...declared,
  ...collection,
  id: 'createDeviceAuthentication',
  method: 'POST',
  summary: 'Have a user prove a second factor, without a flow',
  body: { kind: 'json', schema: newAuthentication },
  replies: { 201: deviceAuthenticationResource },
  errors: ['INVALID_DATA', 'LIMITED', 'UNSUPPORTED_MEDIA_TYPE', 'FORBIDDEN', 'NOT_FOUND'],
  event: 'DEVICE_AUTHENTICATION.CREATED',
  async handle({ body }, context) {
    refuseUnavailable(body)
    const found = await authenticatedUser(context, body.user.id)
    if (!found) throw invalidData('INVALID_VALUE', 'user.id', 'is not a user of this environment')
    const policyId = policyIdOf(context, body.policy?.id)
    const applicationId = await applicationIdOf(context, body.application?.id)
    const device = oneTimeDeviceOf(context, policyId, body.selectedDevice)
    const deviceId = device?.id ?? body.selectedDevice?.id
    const event: DeviceAuthenticationEvent =
      deviceId === undefined ? { type: 'enter' } : { type: 'device.select', body: { device: { id: deviceId } } }
    const state = newDeviceAuthentication({ policyId, applicationId, oneTime: device, ...saidIn(body) })
    const begun = await beginDeviceAuthentication(context, found, state, event, (refusal) =>
      refusal.reason === 'no-such-device'
        ? invalidData('INVALID_VALUE', 'selectedDevice', 'The device cannot be used.')
        : refusalProblem(refusal),
    )
    const created = await deviceAuthenticationBody(context, begun)
    return { status: 201, body: created, headers: { location: created._links['self']?.href ?? '' } }
  },
})

/** What PingOne has and this version has not is refused, not ignored. @throws Problem INVALID_DATA */
function refuseUnavailable(body: NewAuthentication): void {
  const details = [
    ...(['webAuthn', 'authenticationCode'] as const).flatMap((name) => unavailable(body[name] !== undefined, name)),
    ...unavailable(body.selectedDevice?.oneTime?.testMode, 'selectedDevice.oneTime.testMode'),
  ]
  if (details.length > 0) throw problem('INVALID_DATA', { details })
}

/** What is said to the user and to their app. */
function saidIn({ notification, clientContext: context }: NewAuthentication) {
  return { ...(notification ? { text: notification.template } : {}), ...(context ? { clientContext: context } : {}) }
}

/** The policy that is named, or the default. @throws Problem INVALID_DATA */
function policyIdOf({ environment }: Context, named: string | undefined): string {
  const { deviceAuthenticationPolicies, defaultDeviceAuthenticationPolicy } = environment.flowConfiguration
  const found = [...deviceAuthenticationPolicies].find(([id, policy]) =>
    named === undefined ? policy === defaultDeviceAuthenticationPolicy : id === named,
  )
  if (!found) throw invalidData('INVALID_VALUE', 'policy.id', 'is not a device authentication policy')
  return found[0]
}

/** @throws Problem INVALID_DATA */
async function applicationIdOf({ kernel, environment }: Context, named: string | undefined): Promise<string | null> {
  if (named === undefined) return null
  const application = await kernel.environments.application(environment.id, named)
  if (!application) throw invalidData('INVALID_VALUE', 'application.id', 'is not an application of this environment')
  return application.id
}

/** The address that is used this once, if one is given. @throws Problem INVALID_DATA */
function oneTimeDeviceOf(
  { kernel, environment }: Context,
  policyId: string,
  selected: NewAuthentication['selectedDevice'],
): OneTimeDevice | null {
  if (!selected?.oneTime) return null
  if (selected.id !== undefined) {
    throw invalidData('INVALID_VALUE', 'selectedDevice.oneTime', 'cannot be given beside the id of a device')
  }
  const { type, email, phone } = selected.oneTime
  const policy = environment.flowConfiguration.deviceAuthenticationPolicies.get(policyId)
  if (!policy || !allows(policy, type)) {
    throw invalidData('INVALID_VALUE', 'selectedDevice.oneTime.type', 'is not allowed by the policy')
  }
  const address = type === 'EMAIL' ? email : phone
  if (!address) {
    throw invalidData(
      'REQUIRED_VALUE',
      `selectedDevice.oneTime.${type === 'EMAIL' ? 'email' : 'phone'}`,
      'must not be null',
    )
  }
  return { id: kernel.world.uuid(), type, address }
}

const read = defineOperation({
  ...declared,
  ...single,
  id: 'readDeviceAuthentication',
  method: 'GET',
  summary: 'Read a stand-alone authentication',
  replies: { 200: deviceAuthenticationResource },
  errors: ['FORBIDDEN', 'NOT_FOUND', 'EXPIRED', 'UNAVAILABLE'],
  async handle({ params }, context) {
    const authentication = await loadDeviceAuthentication(context, params.deviceAuthenticationId)
    return { status: 200, body: await deviceAuthenticationBody(context, authentication) }
  },
})

const acting = {
  ...declared,
  ...single,
  method: 'POST',
  replies: { 200: deviceAuthenticationResource },
  errors: [
    'INVALID_DATA',
    'INVALID_REQUEST',
    'LIMITED',
    'FORBIDDEN',
    'NOT_FOUND',
    'EXPIRED',
    'UNSUPPORTED_MEDIA_TYPE',
    'UNAVAILABLE',
  ],
} as const

const act = deviceAuthenticationActions.map((name) =>
  defineOperation({
    ...acting,
    id: `deviceAuthentication${name
      .split('.')
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join('')}`,
    mediaTypes: [vendorMediaType(name)],
    summary: `Act on a stand-alone authentication: ${name}`,
    // What of it is secret is cut out as it is for a flow.
    body: { kind: 'json', schema: multiFactorAuthentication.accepts[name].body, judgedBy: 'handler' },
    async handle({ params, body }, context) {
      const sent = readRequest(name, body)
      if ('refusal' in sent) throw refusalProblem(sent.refusal)
      const event = sent.request as DeviceAuthenticationEvent
      const authentication = await carryOn(context, params.deviceAuthenticationId, event, sent.secrets)
      return { status: 200, body: await deviceAuthenticationBody(context, authentication) }
    },
  }),
)

const cancel = defineOperation({
  ...acting,
  id: 'cancelDeviceAuthentication',
  mediaTypes: [vendorMediaType(cancelling)],
  summary: 'Give up the device of a stand-alone authentication, so that another one may be chosen',
  body: { kind: 'json', schema: z.object({ reason: z.literal('CHANGE_DEVICE') }) },
  async handle({ params }, context) {
    const authentication = await carryOn(context, params.deviceAuthenticationId, { type: cancelling }, {})
    return { status: 200, body: await deviceAuthenticationBody(context, authentication) }
  },
})

export const deviceAuthenticationOperations: readonly Operation[] = [create, read, ...act, cancel]
