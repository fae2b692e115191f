/**
 * The stand-alone authentication as answers hold it: authentication-api 6.4.
 *
 * Never: an address or number in full (row J27); a link that the status does not allow.
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { deviceFacts } from '../directory/devices.ts'
import { credentialsOf, fido2Terms } from '../directory/fido2-devices.ts'
import { challengeFor, requestOptions } from '../directory/fido2-options.ts'
import type { AssertionRequest } from '../flow/action.ts'
import {
  deviceAuthenticationOffers,
  deviceAuthenticationStatuses,
  viewDeviceAuthentication,
} from '../flow/device-authentication.ts'
import { deviceView } from '../flow/factors/device.ts'
import { devicePolicy } from '../flow-runtime/device-policy.ts'
import type { DeviceAuthentication } from '../flow-runtime/device-authentication.ts'

export const deviceAuthenticationResource = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  user: reference,
  policy: reference,
  application: reference.optional(),
  status: z.enum(deviceAuthenticationStatuses),
  selectedDevice: z
    .object({ id: z.string(), oneTime: deviceView.pick({ type: true, email: true, phone: true }).optional() })
    .optional(),
  publicKeyCredentialRequestOptions: z
    .string()
    .optional()
    .describe('JSON text: what `navigator.credentials.get` takes; answered within five minutes.'),
  numberMatching: z
    .object({ number: z.string() })
    .optional()
    .describe('Extension: the number to be typed into the app, while a push request waits for its answer.'),
  error: z
    .object({ code: z.string(), message: z.string(), unavailableDevices: z.array(reference).optional() })
    .optional(),
  createdAt: timestamp,
  updatedAt: timestamp,
  expiresAt: timestamp,
  _embedded: z.object({ devices: z.array(deviceView) }),
})

/** The body of an authentication; one read more while a FIDO2 device is asked to sign. */
export async function deviceAuthenticationBody(context: Context, authentication: DeviceAuthentication) {
  const { environment, site } = context
  const { id, state, found, devices, createdAt, updatedAt, expiresAt } = authentication
  const { status, policyId, applicationId, failure } = state
  const self = `${site.authBase}/deviceAuthentications/${id}`
  const facts = devices.map(deviceFacts)
  const view = viewDeviceAuthentication(state, facts, environment.flowConfiguration)
  return {
    _links: links({ self, ...Object.fromEntries(deviceAuthenticationOffers(state).map((name) => [name, self])) }),
    id,
    environment: { id: environment.id },
    user: { id: found.user.id },
    policy: { id: policyId },
    ...(applicationId === null ? {} : { application: { id: applicationId } }),
    status,
    ...(view.selectedDevice ? { selectedDevice: view.selectedDevice } : {}),
    ...(view.assertion
      ? { publicKeyCredentialRequestOptions: await optionsOf(context, authentication, view.assertion) }
      : {}),
    ...(view.numberMatching ? { numberMatching: view.numberMatching } : {}),
    ...(failure ? { error: failure } : {}),
    createdAt: iso(createdAt),
    updatedAt: iso(updatedAt),
    expiresAt: iso(expiresAt),
    _embedded: { devices: view.devices },
  }
}

async function optionsOf(
  { kernel, environment }: Context,
  { id, found }: DeviceAuthentication,
  { deviceIds, policyId, challengedAt }: AssertionRequest,
): Promise<string> {
  const credentials = await credentialsOf(kernel, environment.id, found.user.id)
  return requestOptions({
    ...fido2Terms(kernel, environment, devicePolicy(environment, policyId)),
    challenge: challengeFor(environment, { kind: 'deviceAuthentication', deviceAuthenticationId: id, challengedAt }),
    credentialIds: credentials
      .filter(({ deviceId }) => deviceIds.includes(deviceId))
      .map((credential) => credential.id),
  })
}
