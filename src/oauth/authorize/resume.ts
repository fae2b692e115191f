/**
 * Resume: the way back from a finished flow to the application (authentication-api 2.6). It needs the flow's own `ST`,
 * works once, and answers only what the flow was begun for. Rows J07, J08, A27, I13.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import type { Failure } from '../../flow/failure.ts'
import { flowResource } from '../../flow-runtime/display.ts'
import { flowResourceSchema } from '../../flow-runtime/schema.ts'
import { type Resumed, resumeFlow } from '../../flow-runtime/runtime.ts'
import { isForPolling } from '../../flow-runtime/settle-polled-grant.ts'
import { loadFlow, type StoredFlow } from '../../flow-runtime/stored-flow.ts'
import { Problem, problem } from '../../errors/problem.ts'
import { refuseTo } from './answer.ts'
import { endFlow } from './end-flow.ts'
import { auditIssued, type Issued, issueResponse } from './issue.ts'
import type { AuthorizationRequest } from './request.ts'
import { redirectReply } from './response.ts'
import { resumeElsewhere } from './resume-elsewhere.ts'
import { resumeInvitation } from './resume-invitation.ts'

async function resume(flowId: string, context: Context): Promise<Reply> {
  const { site } = context
  const loaded = await loadFlow(context, flowId, 'api')
  if (isForPolling(loaded.state)) return resumeElsewhere(context, loaded)
  if (loaded.state.request.invitation) return resumeInvitation(context, loaded)
  const resumed = await resumeFlow(context, loaded)
  const request = loaded.state.request.parameters as unknown as AuthorizationRequest
  const inJson = request.mode === 'pi.flow' || request.redirectUri === null
  if ('unfinished' in resumed) {
    if (inJson) return { status: 200, body: await flowResource(context, loaded.state, loaded.application) }
    return { status: 302, headers: { location: signOnPage(site, loaded.application, flowId) } }
  }
  const finished = await finishFlow(context, loaded, resumed).catch(asRefusal)
  if (finished instanceof Problem) return refuseTo(request, loaded.application, finished, context)
  if ('failure' in finished) {
    return refuseTo(
      request,
      loaded.application,
      problem('access_denied', { description: finished.failure.message }),
      context,
    )
  }
  const { issued } = finished
  const { mode, redirectUri } = request
  if (mode !== 'pi.flow' && redirectUri !== null) {
    return redirectReply(context, { mode, redirectUri, client: loaded.application }, issued.parameters)
  }
  const { iss: _, ...authorizeResponse } = issued.parameters
  return {
    status: 200,
    body: { ...(await flowResource(context, resumed.state, loaded.application)), authorizeResponse },
  }
}

/** A failure that the application is told: nothing could be issued to it. Whatever else went wrong is thrown on. */
function asRefusal(error: unknown): Problem {
  if (error instanceof Problem && (error.key === 'invalid_request' || error.key === 'access_denied')) return error
  throw error
}

/** What a finished flow comes to for its authorization request. */
export type Finished = { readonly failure: Failure } | { readonly issued: Issued }

/**
 * Turns a finished flow into what its request asked for, once, in one unit with the flow's last state.
 * @throws Problem NOT_FOUND for a second time, and for a request that does not carry the token of the session
 */
export async function finishFlow(context: Context, loaded: StoredFlow, resumed: Resumed): Promise<Finished> {
  const request = loaded.state.request.parameters as unknown as AuthorizationRequest
  const finished = await endFlow(context, loaded, resumed, {
    issue: (outcome, source) => issueResponse(context, loaded.application, request, outcome, source),
  })
  if ('issued' in finished) auditIssued(context, finished.issued)
  return finished
}

const failed = z.object({
  id: z.string(),
  code: z.string(),
  message: z.string(),
  details: z.array(z.looseObject({})).optional(),
})

export const resumeOperations: readonly Operation[] = [
  defineOperation({
    id: 'resume',
    method: 'GET',
    path: '/{environmentId}/as/resume',
    surface: 'page',
    tag: 'OAuth 2 and OpenID Connect',
    summary: 'Go back from a finished flow to the application',
    source: 'authentication-api 2.6',
    permission: { kind: 'public' },
    cors: 'application',
    params: z.object({ environmentId: uuid }),
    query: z.object({ flowId: uuid }),
    replies: { 200: flowResourceSchema, 302: null, 400: failed, 403: failed },
    errors: ['NOT_FOUND', 'access_denied', 'invalid_request', 'CROSS_SITE'],
    handle: ({ query }, context) => resume(query.flowId, context),
  }),
]
