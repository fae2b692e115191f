/**
 * What a checked authorization request leads to: an answer at once when the browser's session satisfies the policy;
 * otherwise a flow, that goes on at the sign-on page or, with `pi.flow`, in the client. authentication-api 2.4, 2.5. One
 * unit either way, which also uses up the pushed request that it came of.
 */
import { type OneTimeJwt, useProofs } from '../../access/used-jwt.ts'
import type { Context, Reply } from '../../contract/operation.ts'
import { readSessionToken, sessionCookie } from '../../directory/session-cookie.ts'
import { noteUse, type Session, sessionOfToken } from '../../directory/sessions.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import type { FlowState } from '../../flow/state.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import { setCookie, tellBrowserState } from '../../flow-runtime/answer-cookies.ts'
import { flowResource } from '../../flow-runtime/display.ts'
import { LoginRequired } from '../../flow-runtime/drive.ts'
import { type Begun, beginFlow, storeFlow } from '../../flow-runtime/runtime.ts'
import type { Statement, UnitBody } from '../../storage/port.ts'
import { claimSource } from '../tokens/claim-source.ts'
import { auditIssued, type Issued, issueResponse } from './issue.ts'
import { type PushedRequest, usePushed } from './pushed.ts'
import type { AuthorizationRequest } from './request.ts'
import { redirectReply } from './response.ts'

/** What a request uses up. */
export interface Uses {
  readonly pushed: PushedRequest | undefined
  readonly proofs: readonly OneTimeJwt[]
}

/**
 * Begins the flow of a request and answers.
 * @throws Problem that goes to the application; AlreadyConsumed when the pushed request was used before
 */
export async function proceed(
  context: Context,
  client: Application,
  request: AuthorizationRequest,
  uses: Uses,
): Promise<Reply> {
  const { kernel, environment, site, now } = context
  const token = readSessionToken(context.headers.cookie)
  const found = token ? await sessionOfToken(kernel, environment.id, token, now) : undefined
  const session = found?.session ?? null
  if (!session) tellBrowserState(context, null, false)
  const begun = await beginFlow(context, {
    application: client,
    door: request.mode === 'pi.flow' ? 'pi.flow' : 'redirect',
    forcesLogin: request.prompt === 'login',
    isSilent: request.prompt === 'none',
    maxAge: request.maxAge,
    loginHint: request.loginHint,
    hintedUserId: request.hintedUserId,
    isVouched: request.isVouched,
    acrValues: request.acrValues,
    grants: request.consent ? { consent: request.consent } : {},
    parameters: { ...request } as unknown as FlowState['request']['parameters'],
    session,
    sessionUser: found?.user,
  }).catch((error: unknown) => {
    throw error instanceof LoginRequired ? problem('login_required') : error
  })
  const { state } = begun
  const isComplete = state.status === 'COMPLETED'
  if (isComplete && session && !state.signOnDue) {
    return await answerAtOnce(context, client, request, begun, session, uses)
  }
  if (request.prompt === 'none' && !isComplete) {
    throw problem(state.status === 'CONSENT_REQUIRED' ? 'consent_required' : 'login_required')
  }
  if (state.status === 'FAILED') throw problem('access_denied', { description: state.failure?.message ?? '' })

  const binding = token ?? kernel.world.uuid()
  await storeFlow(context, begun, binding, () => using(context, uses))
  if (binding !== token) setCookie(context, sessionCookie(site, binding, now))
  if (request.mode === 'pi.flow') return { status: 200, body: await flowResource(context, state, client) }
  // Who is signed on without having done anything gets their session when they resume, as everybody does.
  const next = isComplete ? `${site.issuer}/resume?flowId=${state.id}` : signOnPage(site, client, state.id)
  return { status: 302, headers: { location: next } }
}

function* using(context: Context, { pushed, proofs }: Uses): UnitBody<void> {
  yield* useProofs(context.environment.id, proofs)
  if (pushed) yield* usePushed(context, pushed)
}

function* storing(
  context: Context,
  uses: Uses,
  issued: Issued,
  used: Statement<object> | undefined,
  writes: Begun['writes'],
): UnitBody<void> {
  yield* using(context, uses)
  yield* issued.store()
  if (used) yield used
  for (const write of writes) if (write.with === 'save') yield* write.run()
}

/** The session satisfies the policy: one commit, no flow. */
async function answerAtOnce(
  context: Context,
  client: Application,
  request: AuthorizationRequest,
  { state: { outcome }, user: found, writes }: Begun,
  session: Session,
  uses: Uses,
): Promise<Reply> {
  const { kernel, environment, now } = context
  if (!outcome || found?.user.id !== outcome.userId) throw problem('login_required')
  const issued = await issueResponse(context, client, request, outcome, claimSource(found.user))
  const used = noteUse(environment.id, environment.settings, session, now)
  await kernel.storage.commit({
    name: 'authorize-with-session',
    single: issued.single && used === undefined && writes.length === 0 && !uses.pushed && uses.proofs.length === 0,
    run: () => storing(context, uses, issued, used, writes),
  })
  auditIssued(context, issued)
  const { mode, redirectUri } = request
  if (mode === 'pi.flow' || redirectUri === null) {
    const { iss: _, ...authorizeResponse } = issued.parameters
    const body = {
      environment: { id: environment.id },
      session: { id: session.id },
      status: 'COMPLETED',
      authorizeResponse,
    }
    return { status: 200, body }
  }
  return redirectReply(context, { mode, redirectUri, client }, issued.parameters)
}
