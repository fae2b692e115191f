/**
 * The hosted sign-on page: `{pagesBase}/signon/?flowId=…` (authentication-api 1.1, experience.md "Sign-on pages"). `GET`
 * shows the flow's status, `POST` carries a form into the flow by the same door as the flows API and goes back to `GET`,
 * so that a reload repeats nothing (rows A24, I05, I07).
 */
import { z } from 'zod'
import type { FormParameters } from '../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { Problem, problem } from '../errors/problem.ts'
import type { MediaType } from '../flow/actions/index.ts'
import type { FlowState } from '../flow/state.ts'
import { flowLinks } from '../flow-runtime/address.ts'
import { requireOwnOrigin } from '../flow-runtime/application-origin.ts'
import { clientView } from '../flow-runtime/client-view.ts'
import { displayOf } from '../flow-runtime/display.ts'
import { actOnFlow } from '../flow-runtime/runtime.ts'
import { loadFlow, type StoredFlow } from '../flow-runtime/stored-flow.ts'
import { isForPolling } from '../flow-runtime/settle-polled-grant.ts'
import { elsewherePage } from './elsewhere-page.ts'
import { languageOf } from './flow-language.ts'
import { invitationEndPage } from './invitation-page.ts'
import { pageHeaders } from './headers.ts'
import { type Aside, asides, renderSignOn, type SignOnView } from './sign-on.ts'
import { type FormAction, formAction } from '../flow-runtime/form-action.ts'
import { isShown } from './sign-on-fields.ts'
import { explainRefusal } from './sign-on-error.ts'
import type { SignOnError } from './sign-on-fields.ts'
import { renderSignOnNotice } from './sign-on-notice.ts'
import { say } from './texts/language.ts'

/** What the page shows beside the flow: what was wrong, and what was typed. */
interface Attempt {
  readonly error: SignOnError
  readonly values: FormAction['body']
}

/** What the address says beside which flow it is. */
interface Brought {
  /** Whether a sign-on elsewhere has failed. */
  readonly failed?: boolean | undefined
  readonly inviteCode?: string | undefined
}

function redirectUriOf({ request: { parameters } }: FlowState): string | null {
  const { redirectUri } = parameters
  return typeof redirectUri === 'string' ? redirectUri : null
}

function pageUrl(context: Context, flowId: string): string {
  return `${context.site.pagesBase}/signon/?flowId=${flowId}`
}

async function show(
  context: Context,
  { state, application }: Pick<StoredFlow, 'state' | 'application'>,
  aside: Aside | undefined,
  attempt?: Attempt,
  { failed = false, inviteCode }: Brought = {},
): Promise<Reply> {
  // Coming back to a flow that has ended must not send anybody on once more.
  if (state.resumedAt !== null) return ended(context, state, application)
  const language = languageOf(context, state)
  const links = flowLinks(context.site, application, state.id)
  const applicationName = application.name
  if (state.status === 'COMPLETED' || state.status === 'FAILED') {
    const resumeUrl = links.resume
    if (!hasRequest(state)) {
      const html = renderSignOnNotice({ kind: 'elsewhere', applicationName, resumeUrl }, language)
      return { status: 200, html, headers: pageHeaders({ formActions: [] }) }
    }
    const html =
      state.failure === null
        ? renderSignOnNotice({ kind: 'completed', applicationName, resumeUrl }, language)
        : renderSignOnNotice({ kind: 'failed', applicationName, resumeUrl, failure: state.failure.code }, language)
    return { status: 200, html, headers: pageHeaders({ formActions: [] }) }
  }
  const display = await displayOf(context, state, application)
  const { user, passwordPolicy, providers = [], toConfirm, action } = display
  const { username = hint(state) ?? '', email = '' } = toConfirm?.attributes ?? {}
  const html = renderSignOn(
    {
      status: state.status,
      pageUrl: pageUrl(context, state.id),
      applicationName,
      client: clientView(context.site, application, returnUriOf(state, application)),
      offers: state.offers,
      inviteCode: attempt ? inviteCodeOf(attempt) : inviteCode,
      aside,
      values: attempt ? typed(attempt.values) : { username, email },
      user: user ?? named(state),
      passwordPolicy,
      devices: action?.devices,
      selectedDevice: action?.selectedDevice,
      publicKeyCredentialRequestOptions: display.publicKeyCredentialRequestOptions,
      flowUrl: links.self,
      number: action?.push?.number ?? undefined,
      rememberMe: action?.rememberMe,
      registrationUrl: display.registrationUrl,
      agreement: action?.agreement,
      agreementText: display.agreementText,
      attributes: action?.attributes,
      promptText: action?.promptText,
      scopes: action?.scopes,
      deviceAuthorization: action?.deviceAuthorization,
      bindingMessage: action?.bindingMessage,
      authorizationDetails: action?.authorizationDetails,
      providers: providers.map(({ id, name }) => ({ name, href: links.authenticate(id) })),
      error: attempt?.error ?? (failed ? { field: null, text: say(language, 'error.external') } : undefined),
    },
    language,
  )
  return { status: attempt ? 400 : 200, html, headers: pageHeaders({ formActions: ["'self'"], connects: true }) }
}

/** The code that the form carries on. */
function inviteCodeOf({ values: { inviteCode } }: Attempt): string | undefined {
  return typeof inviteCode === 'string' ? inviteCode : undefined
}

/** Whether an authorization request waits for the end of a flow, and takes the browser back. */
function hasRequest(state: FlowState): boolean {
  return !isForPolling(state) && !state.request.invitation
}

/** Where the browser goes once the flow is over; undefined where it stays, null where nobody can say. */
function returnUriOf(state: FlowState, { document }: StoredFlow['application']): string | null | undefined {
  if (state.request.invitation) return document.initiateLoginUri ?? document.homePageUrl
  return isForPolling(state) ? undefined : redirectUriOf(state)
}

/** A flow that was resumed: its end, where that is a page here. */
function ended(context: Context, state: FlowState, application: StoredFlow['application']): Reply {
  if (state.request.invitation) return invitationEndPage(context, state, application)
  return isForPolling(state) ? elsewherePage(context, state, application) : gone(context)
}

/** What was typed into fields that hold no secret. */
function typed(body: FormAction['body']): NonNullable<SignOnView['values']> {
  const flat = Object.entries(body).flatMap(([member, value]) =>
    typeof value !== 'object'
      ? [[member, String(value)] as const]
      : Object.entries(value).map(([part, inner]) => [`${member}.${part}`, inner] as const),
  )
  return Object.fromEntries(flat.filter(([name]) => isShown(name)))
}

/** Whom somebody named, in the words they used; whether anybody has that name is not known. */
function named({ identifier }: FlowState): SignOnView['user'] {
  return identifier === null ? undefined : { username: identifier }
}

/** Whom the application expects; nobody once that was denied by "Not you?". */
function hint(state: FlowState): string | undefined {
  const denied = state.trace.some(({ event }) => event === 'session.reset')
  return denied ? undefined : (state.request.loginHint ?? undefined)
}

/** A flow that is gone has a page that says how to start again. */
function gone(context: Context): Reply {
  const html = renderSignOnNotice({ kind: 'gone' }, languageOf(context, undefined))
  return { status: 404, html, headers: pageHeaders({ formActions: [] }) }
}

async function orGone(context: Context, page: () => Promise<Reply>): Promise<Reply> {
  try {
    return await page()
  } catch (error) {
    if (error instanceof Problem && error.key === 'NOT_FOUND') return gone(context)
    throw error
  }
}

async function submit(context: Context, flowId: string, form: FormParameters): Promise<Reply> {
  // A form may come from this page alone: `null` and every other origin are refused.
  requireOwnOrigin(context)
  const load = () => loadFlow(context, flowId, 'page')
  const asked = formAction(form)
  if (!asked) throw problem('INVALID_REQUEST')
  try {
    await actOnFlow(context, load, asked.action, asked.body)
  } catch (error) {
    if (!(error instanceof Problem) || (error.key !== 'INVALID_DATA' && error.key !== 'LIMITED')) {
      // The flow has moved on, in another tab or by the back button: its page shows where it stands.
      if (error instanceof Problem && error.key === 'INVALID_REQUEST')
        return { status: 303, headers: { location: pageUrl(context, flowId) } }
      throw error
    }
    const flow = await load()
    const isKnown = flow.state.user !== null || flow.state.identifier !== null
    const explained = explainRefusal(error.details, isKnown, languageOf(context, flow.state))
    const shown = await show(context, flow, asideOf(asked.action), { error: explained, values: asked.body })
    if (error.key !== 'LIMITED') return shown
    return { ...shown, status: 429, headers: { ...shown.headers, ...error.headers } }
  }
  return { status: 303, headers: { location: pageUrl(context, flowId) } }
}

/** The page on which an action is offered, where that is not the page of the status itself. */
function asideOf(action: MediaType): Aside | undefined {
  return (Object.keys(asides) as Aside[]).find((aside) => asides[aside] === action)
}

const declaration = {
  path: '/{environmentId}/signon/',
  surface: 'page',
  tag: 'Pages',
  permission: { kind: 'public' },
  cors: 'none',
  source: 'authentication-api 1.1, 3.3; experience.md',
  params: z.object({ environmentId: uuid }),
  query: z.object({
    flowId: z.string().max(100),
    environmentId: z.string().max(100).optional(),
    inviteCode: z.string().max(64).optional().catch(undefined),
    error: z
      .literal('EXTERNAL_AUTHENTICATION_FAILED')
      .transform(() => true)
      .optional()
      .catch(undefined),
    view: z
      .enum(Object.keys(asides) as [Aside, ...Aside[]])
      .optional()
      .catch(undefined),
  }),
  replies: { 200: null, 303: null, 400: null, 404: null, 429: null },
  errors: ['CROSS_SITE', 'NOT_FOUND'],
} as const

export const signOnPageOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'signOnPage',
    method: 'GET',
    summary: 'The sign-on page of a flow',
    handle: ({ query }, context) =>
      orGone(context, async () => {
        if (!uuid.safeParse(query.flowId).success) return gone(context)
        const { view, error: failed, inviteCode } = query
        const flow = await loadFlow(context, query.flowId, 'page')
        return show(context, flow, view, undefined, { failed, inviteCode })
      }),
  }),
  defineOperation({
    ...declaration,
    id: 'submitSignOnPage',
    method: 'POST',
    summary: 'Submit a form of the sign-on page',
    body: formBody(z.looseObject({ action: z.string() })),
    handle: ({ query, body }, context) =>
      orGone(context, () =>
        uuid.safeParse(query.flowId).success ? submit(context, query.flowId, body) : Promise.resolve(gone(context)),
      ),
  }),
]
