/**
 * Sign-off: OpenID Connect RP-Initiated Logout 1.0, authentication-api 2.18; rows I10 to I14. What a request comes to is
 * judged by `rules/sign-off.ts`; here its facts are gathered and its verdict carried out: the session ends with all that
 * was issued in it, the applications are told by logout tokens and by frames, and the browser goes back or to a page.
 *
 * Never: a session ended by a form that was not shown to this very browser; a redirect after that form, which browsers
 * would hold against the page's own policy.
 */
import { z } from 'zod'
import { isAddress } from '../registration/client-id-url.ts'
import { isVouchedFor } from '../registration/vouched-for.ts'
import type { FormParameters } from '../../contract/form.ts'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../../contract/operation.ts'
import { uuid } from '../../contract/validation.ts'
import { readSessionToken } from '../../directory/session-cookie.ts'
import { type SessionWithUser, sessionOfToken } from '../../directory/sessions.ts'
import type { Application } from '../../environment/application.ts'
import { problem } from '../../errors/problem.ts'
import { forgetSession } from '../../flow-runtime/answer-cookies.ts'
import { allowApplicationOrigin, requireOwnOrigin } from '../../flow-runtime/application-origin.ts'
import { errorPage } from '../../pages/error.ts'
import { pageHeaders, sourceOf } from '../../pages/headers.ts'
import { html } from '../../pages/html.ts'
import { renderSignOff, type SignOffForm, signOffForm } from '../../pages/sign-off.ts'
import { chooseLanguage, type Language, say } from '../../pages/texts/language.ts'
import { verifyIdTokenHint } from '../id-token-hint.ts'
import { defineMetadata } from '../metadata.ts'
import { withValues } from '../parameters.ts'
import { withQuery } from '../response-modes/query.ts'
import { judgeSignOff, type NamedSession, type SignOffRefusal } from '../rules/sign-off.ts'
import { confirmationOf, isConfirmation } from '../sign-off-confirmation.ts'
import { endNamedSession, logoutFrames } from '../sign-off.ts'

/** The endpoint, and the ways in which applications are told. */
export const signoffMetadata = defineMetadata(
  {
    end_session_endpoint: z.string(),
    frontchannel_logout_supported: z.boolean(),
    frontchannel_logout_session_supported: z.boolean(),
    backchannel_logout_supported: z.boolean(),
    backchannel_logout_session_supported: z.boolean(),
  },
  (_environment, site) => ({
    end_session_endpoint: `${site.issuer}/signoff`,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  }),
)

/** A request to sign off, with what is known of it. */
interface Asked {
  readonly values: Readonly<Record<string, string>>
  readonly application: Application | undefined
  /** The session cookie, whether a session answers to it or not. */
  readonly token: string | undefined
  readonly found: SessionWithUser | undefined
  readonly language: Language
}

async function signOff(parameters: FormParameters, context: Context): Promise<Reply> {
  const { kernel, environment, headers, now } = context
  const { values, repeated } = withValues(parameters)
  const sent = values['id_token_hint']
  const hint = sent === undefined ? undefined : ((await verifyIdTokenHint(context, sent)) ?? 'invalid')
  const clientId = values['client_id']
  const application = await enabledApplication(context, hint === 'invalid' ? undefined : (hint?.clientId ?? clientId))
  // A browser that goes from page to page shows its answer to nobody else; whatever else it fetches is for a script.
  const isNavigation = (headers['sec-fetch-mode'] ?? 'navigate') === 'navigate'
  if (application && !isNavigation) allowApplicationOrigin(context, application)

  const token = readSessionToken(headers.cookie)
  const found = token === undefined ? undefined : await sessionOfToken(kernel, environment.id, token, now)
  const confirmation = values['confirmation']
  const isConfirmed =
    token !== undefined && confirmation !== undefined && isConfirmation(environment, token, confirmation)
  if (isConfirmed) requireOwnOrigin(context)

  const language = chooseLanguage(values['ui_locales']?.slice(0, 256), headers['accept-language'])
  const asked: Asked = { values, application, token, found, language }
  const verdict = judgeSignOff({
    repeated: repeated[0],
    hint,
    clientId,
    application: application && {
      postLogoutRedirectUris: application.document.postLogoutRedirectUris,
      idpSignoff: application.document.echoed['idpSignoff'] === true,
    },
    returnTo: values['post_logout_redirect_uri'],
    session: found && { sessionId: found.session.id, userId: found.session.userId },
    isConfirmed,
  })
  switch (verdict.kind) {
    case 'refuse':
      return refuse(context, asked, verdict)
    case 'ask':
      return ask(context, asked)
    case 'end': {
      const frames = await end(context, asked, verdict.ends)
      return leave(context, asked, frames, isConfirmed)
    }
    case 'nothing':
      if (token !== undefined) forgetSession(context)
      return leave(context, hint || isConfirmed ? asked : withoutStrangers(context, asked), [], isConfirmed)
  }
}

async function enabledApplication(
  { kernel, environment }: Context,
  id: string | undefined,
): Promise<Application | undefined> {
  if (id === undefined || !(uuid.safeParse(id).success || isAddress(id))) return undefined
  const application = await kernel.environments.client(environment.id, id)
  return application?.enabled ? application : undefined
}

/** Says what is wrong; whoever is signed on can sign off here all the same, but is not sent anywhere. */
function refuse(
  context: Context,
  { token, found, language }: Asked,
  { problem: key, description }: SignOffRefusal,
): Reply {
  const failure = problem(key, description === undefined ? {} : { description })
  const offer =
    token !== undefined && found
      ? html`<p>${say(language, 'signOff.anyway')}</p>
${signOffForm({ confirmation: confirmationOf(context.environment, token), kept: {} }, language)}`
      : undefined
  return {
    status: 400,
    html: errorPage(failure, context.correlationId, language, offer),
    headers: pageHeaders({ formActions: offer ? ["'self'"] : [] }),
  }
}

/** Asks the user. Of a hint, what it was good for is kept: the application that it names. */
function ask({ environment }: Context, { values, application, token = '', found, language }: Asked): Reply {
  const kept = { ...values, ...(application ? { client_id: application.clientId } : {}) }
  const names = ['client_id', 'post_logout_redirect_uri', 'state', 'ui_locales']
  const form: SignOffForm = {
    confirmation: confirmationOf(environment, token),
    kept: Object.fromEntries(Object.entries(kept).filter(([name]) => names.includes(name))),
  }
  const view = { kind: 'ask', form, username: found?.user?.user.username, applicationName: application?.name } as const
  return { status: 200, html: renderSignOff(view, language), headers: pageHeaders({ formActions: ["'self'"] }) }
}

/** Ends a session. @returns the addresses that applications want loaded in this browser */
async function end(context: Context, { application, token }: Asked, named: NamedSession): Promise<readonly string[]> {
  const ended = await endNamedSession(context, named, application?.id)
  if (token !== undefined) forgetSession(context)
  return ended ? logoutFrames(context, named.sessionId, ended.participants) : []
}

/** A request that proves nothing, and asks nobody, leads to no address that a client has registered for itself (row A22). */
function withoutStrangers({ environment }: Context, asked: Asked): Asked {
  const { application, values } = asked
  const { post_logout_redirect_uri: address, ...others } = values
  const isStrange =
    application !== undefined && address !== undefined && !isVouchedFor(environment, application, address)
  return isStrange ? { ...asked, values: others } : asked
}

/** Goes where the application wants, or says that it is done. */
function leave({ site }: Context, asked: Asked, frames: readonly string[], isAfterForm: boolean): Reply {
  const { values, application, language } = asked
  const { post_logout_redirect_uri: address, state, ui_locales: locales } = values
  const parameters = state === undefined ? {} : { state }
  if (frames.length === 0 && !isAfterForm && address !== undefined) {
    return { status: 302, headers: { location: withQuery(address, parameters) } }
  }
  if (frames.length === 0 && address === undefined) {
    const location = withQuery(`${site.pagesBase}/signedOff`, locales === undefined ? {} : { ui_locales: locales })
    return { status: isAfterForm ? 303 : 302, headers: { location } }
  }
  const returnTo = address === undefined ? undefined : withQuery(address, parameters)
  const view = { kind: 'done', returnTo, applicationName: application?.name, frames } as const
  return {
    status: 200,
    html: renderSignOff(view, language),
    headers: pageHeaders({ formActions: [], frames: frames.map(sourceOf) }),
  }
}

const signOffParameters = z.object({
  id_token_hint: z.string().optional().describe('An ID token of the application; it may have expired.'),
  client_id: z.string().optional(),
  post_logout_redirect_uri: z.string().optional().describe('Exactly as registered; needs one of the two above.'),
  state: z.string().optional(),
  ui_locales: z.string().optional(),
  logout_hint: z.string().optional().describe('Ignored: the session is known by its cookie or its ID token.'),
})

function given(sent: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(sent).filter((each): each is [string, string] => each[1] !== undefined))
}

const declaration = {
  path: '/{environmentId}/as/signoff',
  surface: 'page',
  tag: 'OAuth 2 and OpenID Connect',
  source: 'authentication-api 2.18; OpenID Connect RP-Initiated Logout 1.0 section 2',
  permission: { kind: 'public' },
  cors: 'application',
  params: z.object({ environmentId: uuid }),
  replies: { 200: null, 302: null, 303: null, 400: null },
  errors: [
    'invalid_request',
    'unknown_client',
    'id_token_hint_rejected',
    'post_logout_redirect_uri_rejected',
    'CROSS_SITE',
  ],
  event: 'SESSION.DELETED',
} as const

export const signoffOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'signoff',
    method: 'GET',
    summary: 'Sign a user off: end the session of the browser, with what was issued in it',
    query: signOffParameters,
    // Whoever says yes does so by the form: a `confirmation` in an address is not looked at.
    handle: ({ query: sent }, context) => signOff({ values: given(sent), repeated: [] }, context),
  }),
  defineOperation({
    ...declaration,
    id: 'signoffByPost',
    method: 'POST',
    summary: 'Sign a user off, with the parameters in a form',
    body: formBody(
      signOffParameters.extend({ confirmation: z.string().optional().describe('Of the page that asks.') }),
    ),
    handle: ({ body }, context) => signOff(body, context),
  }),
]
