/**
 * What the app on a MOBILE device does (extension): it asks for the push requests it may answer, and answers them. How it
 * becomes one is in device-pairing.ts. docs/reference/mobile-devices.md; authentication-api 6.1, 6.3; row L35.
 *
 * Every call carries a token that the app has signed for it. An answer is a claim of that token, with the flow, the request
 * and the number that it is about, so that nothing of it stands outside the signature.
 *
 * Never: a session, or anything else that belongs to the browser that signs on.
 */
import { z } from 'zod'
import { collection, collectionSchema } from '../../contract/hal.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { iso, parseOrRefuse, reference, timestamp, uuid } from '../../contract/validation.ts'
import { pushService } from '../../delivery/push-credentials.ts'
import { type PushTarget, sealPushTarget } from '../../delivery/push-target.ts'
import type { MobileDevice } from '../../directory/mobile-devices.ts'
import { invalidData, notFound } from '../../errors/problem.ts'
import { decodeDeviceAuthentication } from '../../flow/device-authentication.ts'
import type { PushAnswer } from '../../flow/factors/push.ts'
import { update } from '../../storage/operations.ts'
import { deviceAuthenticationById } from '../../storage/sql/device-authentications.ts'
import { pushRequestsOf, type PushRequestRow } from '../../storage/sql/mobile-devices.ts'
import { answerAuthentication } from '../device-authentication.ts'
import { callingDevice } from '../device-caller.ts'
import { flowApplication } from '../flow-application.ts'
import { answerPush } from '../runtime.ts'
import { detailsSchema, scopesSchema } from '../schema.ts'
import { loadFlow } from '../stored-flow.ts'

const newTarget = z.object({
  pushToken: z.string().min(1).max(4096).nullable(),
  pushService: pushService.optional().describe('Whose token it is.'),
})

const authenticationRequest = z.object({
  id: uuid,
  flow: reference.describe('The flow, or the stand-alone authentication, that waits for the answer.'),
  application: z.object({ id: z.string(), name: z.string() }),
  numberMatching: z.boolean().describe('Whether the number that the page shows has to be in the answer.'),
  remoteAddress: z.string().describe('The address of the browser that signs on, or of the application that asks.'),
  bindingMessage: z
    .string()
    .optional()
    .describe('What the application shows as well: whoever approves the request has to see it.'),
  clientContext: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('What the application tells its app (`pi.clientContext`, `clientContext`), as it came.'),
  scopes: scopesSchema
    .optional()
    .describe('What the application is let have by this very approval, where nothing else asks for it.'),
  authorizationDetails: detailsSchema
    .optional()
    .describe('The same in detail (RFC 9396), in words: whoever approves the request has to see it.'),
  createdAt: timestamp,
  expiresAt: timestamp,
})

const answerClaim = z.object({
  answer: z.object({
    request: z.object({ id: z.string() }),
    flow: z.object({ id: z.string() }),
    decision: z.enum(['APPROVE', 'DENY']),
    number: z.string().max(10).optional(),
  }),
})

const devicePath = '/{environmentId}/mobileDevices/{deviceId}'
const requestsPath = `${devicePath}/authenticationRequests`
const requestPath = `${requestsPath}/{requestId}`
const tokenPath = `${devicePath}/pushToken`

async function requestsOf({ kernel, environment, now }: Context, { id }: MobileDevice) {
  return kernel.storage.read(pushRequestsOf(environment.id, id, now))
}

async function requestOf(context: Context, device: MobileDevice, requestId: string): Promise<PushRequestRow> {
  const request = (await requestsOf(context, device)).find(({ id }) => id === requestId)
  if (!request) throw notFound()
  return request
}

/** What the application says of the transaction, and what is approved with the sign-on (OpenID CIBA Core section 7.1). */
async function approvedWith(context: Context, { flow_id: flowId, stands_alone }: PushRequestRow) {
  if (stands_alone) return { clientContext: await contextOfAuthentication(context, flowId) }
  const { state } = await loadFlow(context, flowId, 'device')
  const { backchannel, parameters } = state.request
  const clientContext = parameters['clientContext'] ?? undefined
  if (!backchannel) return { clientContext }
  const { bindingMessage, scopeIds, details } = backchannel
  const { scopes } = context.environment.flowConfiguration
  return {
    ...(bindingMessage === null ? {} : { bindingMessage }),
    scopes: scopeIds.flatMap((id) => scopes.get(id) ?? []),
    ...(details ? { authorizationDetails: details } : {}),
  }
}

/** What the application tells its app with a stand-alone authentication. */
async function contextOfAuthentication({ kernel, environment }: Context, id: string) {
  const [row] = await kernel.storage.read(deviceAuthenticationById(environment.id, id))
  return row && decodeDeviceAuthentication(row.state)?.clientContext
}

async function requestBody(context: Context, row: PushRequestRow) {
  const application = await flowApplication(context, row.application_id)
  return {
    id: row.id,
    flow: { id: row.flow_id },
    application: { id: row.application_id, name: application?.name ?? '' },
    numberMatching: row.matches_number === 1,
    remoteAddress: row.remote_address,
    ...(await approvedWith(context, row)),
    createdAt: iso(row.created_at),
    expiresAt: iso(row.expires_at),
  }
}

/** Carries an answer to what waits for it. @returns whether the number was another than the page shows */
async function carriesMismatch(context: Context, row: PushRequestRow, said: PushAnswer): Promise<boolean> {
  if (row.stands_alone) return (await answerAuthentication(context, row.flow_id, said)).isMismatched
  const load = () => loadFlow(context, row.flow_id, 'device')
  const { state } = await answerPush(context, load, said, row.remote_address)
  return state.trace.at(-1)?.reason === 'push-mismatched'
}

async function answer(context: Context, deviceId: string, requestId: string): Promise<Reply> {
  const { device, claims } = await callingDevice(context, deviceId, 'POST', `/authenticationRequests/${requestId}`)
  const { request, flow, decision, number = null } = parseOrRefuse(answerClaim, claims).answer
  const row = await requestOf(context, device, requestId)
  if (request.id !== row.id || flow.id !== row.flow_id) throw notFound()
  if (decision === 'APPROVE' && row.matches_number === 1 && number === null) {
    throw invalidData('REQUIRED_VALUE', 'answer.number', 'must not be null')
  }
  const said = { requestId, deviceId, decision, number }
  if (await carriesMismatch(context, row, said)) {
    throw invalidData('INVALID_VALUE', 'answer.number', 'is not the number that the page shows')
  }
  return { status: 204 }
}

async function keepPushTarget(context: Context, deviceId: string, target: PushTarget | null): Promise<Reply> {
  const { kernel, environment } = context
  const { device } = await callingDevice(context, deviceId, 'PUT', '/pushToken')
  const sealed = target && sealPushTarget(kernel.world, environment, deviceId, target)
  await kernel.storage.commit({
    name: 'keep-push-token',
    *run() {
      const key = { environment_id: environment.id, device_id: deviceId }
      if (!(yield* update('mobile_devices', key, { sealed_push_token: sealed }))) throw notFound()
      yield context.record({
        subject: { type: 'DEVICE', id: deviceId },
        userId: device.userId,
        detail: { userId: device.userId, changed: ['pushToken'] },
      })
    },
  })
  return { status: 204 }
}

const declaration = {
  surface: 'management',
  tag: 'Mobile devices',
  source: 'docs/reference/mobile-devices.md',
  extension: true,
  permission: { kind: 'public' },
  cors: 'none',
} as const

const ofDevice = z.object({ environmentId: uuid, deviceId: uuid })
const ofRequest = ofDevice.extend({ requestId: uuid })

export const mobileDeviceOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'listAuthenticationRequests',
    method: 'GET',
    path: requestsPath,
    summary: 'List the push requests that the app may answer now',
    params: ofDevice,
    replies: { 200: collectionSchema('authenticationRequests', authenticationRequest) },
    errors: ['INVALID_TOKEN', 'NOT_FOUND'],
    async handle({ params: { deviceId } }, context) {
      const { device } = await callingDevice(context, deviceId, 'GET', '/authenticationRequests')
      const requests = await requestsOf(context, device)
      const items = await Promise.all(requests.map((row) => requestBody(context, row)))
      const self = `${context.site.authBase}/mobileDevices/${deviceId}/authenticationRequests`
      return { status: 200, body: collection('authenticationRequests', items, self, undefined, items.length) }
    },
  }),
  defineOperation({
    ...declaration,
    id: 'readAuthenticationRequest',
    method: 'GET',
    path: requestPath,
    summary: 'Read a push request',
    params: ofRequest,
    replies: { 200: authenticationRequest },
    errors: ['INVALID_TOKEN', 'NOT_FOUND'],
    async handle({ params: { deviceId, requestId } }, context) {
      const { device } = await callingDevice(context, deviceId, 'GET', `/authenticationRequests/${requestId}`)
      return { status: 200, body: await requestBody(context, await requestOf(context, device, requestId)) }
    },
  }),
  defineOperation({
    ...declaration,
    id: 'answerAuthenticationRequest',
    method: 'POST',
    path: requestPath,
    summary: 'Approve or deny a push request; the answer is a claim of the token',
    params: ofRequest,
    replies: { 204: null },
    errors: ['INVALID_DATA', 'INVALID_TOKEN', 'NOT_FOUND'],
    event: 'PUSH.ANSWERED',
    handle: ({ params }, context) => answer(context, params.deviceId, params.requestId),
  }),
  defineOperation({
    ...declaration,
    id: 'updatePushToken',
    method: 'PUT',
    path: tokenPath,
    summary: 'Tell by what the app is sent messages; null: by nothing any more',
    params: ofDevice,
    body: { kind: 'json', schema: newTarget },
    replies: { 204: null },
    errors: ['INVALID_DATA', 'INVALID_TOKEN', 'NOT_FOUND'],
    event: 'DEVICE.UPDATED',
    handle({ params, body: { pushToken: token, pushService: service = null } }, context) {
      return keepPushTarget(context, params.deviceId, token === null ? null : { token, service })
    },
  }),
]
