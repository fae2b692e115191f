/**
 * The flows API: one address per flow, `GET` reads, `POST` acts, and the media type names the action (authentication-api
 * 3.2, 4.0, 4.1; decision D5). Its operations are made from the actions' own declarations. First edition (section 1.4):
 * the steps of a flow, and POST on the step that waits.
 */
import { z } from 'zod'
import { vendorMediaType } from '../../contract/media-type.ts'
import { type Body, type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { notFound, problem } from '../../errors/problem.ts'
import { type MediaTypeDescription, mediaTypes } from '../../flow/media-types.ts'
import { viewSteps } from '../../flow/view.ts'
import { flowLinks } from '../address.ts'
import { actionAnswer, flowResource } from '../display.ts'
import { requireOwnOrigin } from '../application-origin.ts'
import { actOnFlow } from '../runtime.ts'
import { flowResourceSchema, stepSchema } from '../schema.ts'
import { loadFlow } from '../stored-flow.ts'

const flowParams = z.object({ environmentId: uuid, flowId: uuid })
const stepParams = flowParams.extend({ stepId: z.string().max(100) })
const flowPath = '/{environmentId}/flows/{flowId}'
const stepPath = `${flowPath}/steps/{stepId}`

const declaration = {
  surface: 'flow',
  tag: 'Flows',
  permission: { kind: 'public' },
  cors: 'application',
} as const

async function act(
  context: Context,
  flowId: string,
  action: MediaTypeDescription,
  body: unknown,
  stepId?: string,
): Promise<Reply> {
  if (action.name === 'oauth.consent') requireOwnOrigin(context)
  const load = async () => {
    const flow = await loadFlow(context, flowId, 'api')
    // A sign-on page of one's own asks about devices as well; any other page of the application does not (row Q06).
    const isDevices = action.name === 'deviceAuthGrant.consent' || action.name === 'deviceAuthGrant.userCode.verify'
    if (isDevices && flow.application.document.loginPageUrl === undefined) requireOwnOrigin(context)
    if (stepId !== undefined && flow.state.action?.id !== stepId) {
      throw flow.state.steps.some((step) => step.id === stepId) ? problem('INVALID_REQUEST') : notFound()
    }
    return flow
  }
  const { state, application } = await actOnFlow(context, load, action.name, body)
  return { status: 200, body: await actionAnswer(context, state, application) }
}

function actionOperations(action: MediaTypeDescription): readonly Operation[] {
  const name = action.name
    .split('.')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  const common = {
    ...declaration,
    method: 'POST',
    mediaTypes: [vendorMediaType(action.name)],
    body: { kind: 'json', schema: action.body, judgedBy: 'handler' } as Body<unknown>,
    replies: { 200: flowResourceSchema },
    errors: [
      'INVALID_DATA',
      'INVALID_REQUEST',
      'NOT_FOUND',
      'UNKNOWN_ACTION',
      'UNSUPPORTED_MEDIA_TYPE',
      'CROSS_SITE',
      'LIMITED',
      'UNAVAILABLE',
    ],
  } as const
  return [
    defineOperation({
      ...common,
      id: `flow${name}`,
      path: flowPath,
      summary: `Act on a flow: ${action.name}`,
      source: 'authentication-api 4.1',
      params: flowParams,
      handle: ({ params, body }, context) => act(context, params.flowId, action, body),
    }),
    defineOperation({
      ...common,
      id: `flowStep${name}`,
      path: stepPath,
      summary: `Act on the step that a flow waits for: ${action.name}`,
      source: 'authentication-api 1.4 (first edition)',
      params: stepParams,
      handle: ({ params, body }, context) => act(context, params.flowId, action, body, params.stepId),
    }),
  ]
}

export const flowOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'readFlow',
    method: 'GET',
    path: flowPath,
    summary: 'Read a flow',
    source: 'authentication-api 3.1, 3.2',
    params: flowParams,
    replies: { 200: flowResourceSchema },
    errors: ['NOT_FOUND', 'CROSS_SITE'],
    async handle({ params }, context) {
      const { state, application } = await loadFlow(context, params.flowId, 'api')
      return { status: 200, body: await flowResource(context, state, application) }
    },
  }),
  defineOperation({
    ...declaration,
    id: 'readFlowSteps',
    method: 'GET',
    path: `${flowPath}/steps`,
    summary: 'Read the steps of a flow, and why each runs or does not',
    source: 'authentication-api 1.4 (first edition)',
    params: flowParams,
    replies: {
      200: z.object({ _links: z.looseObject({}), _embedded: z.object({ steps: z.array(stepSchema) }), size: z.int() }),
    },
    errors: ['NOT_FOUND', 'CROSS_SITE'],
    async handle({ params }, context) {
      const { state, application } = await loadFlow(context, params.flowId, 'api')
      const links = flowLinks(context.site, application, state.id)
      const steps = viewSteps(state, links)
      const _links = { self: { href: `${links.self}/steps` }, flow: { href: links.self } }
      return { status: 200, body: { _links, _embedded: { steps }, size: steps.length } }
    },
  }),
  defineOperation({
    ...declaration,
    id: 'readFlowStep',
    method: 'GET',
    path: stepPath,
    summary: 'Read one step of a flow',
    source: 'authentication-api 1.4 (first edition)',
    params: stepParams,
    replies: { 200: stepSchema },
    errors: ['NOT_FOUND', 'CROSS_SITE'],
    async handle({ params }, context) {
      const { state, application } = await loadFlow(context, params.flowId, 'api')
      const step = viewSteps(state, flowLinks(context.site, application, state.id)).find(
        ({ id }) => id === params.stepId,
      )
      if (!step) throw notFound()
      return { status: 200, body: step }
    },
  }),
  ...mediaTypes().flatMap(actionOperations),
]
