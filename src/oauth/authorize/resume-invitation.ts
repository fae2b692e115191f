/**
 * Resume of a flow for an invitation: no authorization request waits for an answer, so the browser goes to where the
 * application begins one, its `initiateLoginUri` (OpenID Connect Core section 4), or else to its home page; where it has
 * neither, a page says that all is done.
 *
 * Never: a code or a token; a second time.
 */
import type { Context, Reply } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import { resumeFlow } from '../../flow-runtime/runtime.ts'
import type { StoredFlow } from '../../flow-runtime/stored-flow.ts'
import { invitationEndPage } from '../../pages/invitation-page.ts'
import { withQuery } from '../response-modes/query.ts'
import { initiateLogin } from '../rules/initiate-login.ts'
import { endFlow } from './end-flow.ts'

/** Answers the browser of such a flow; once it is resumed, with a page. */
export async function resumeInvitation(context: Context, loaded: StoredFlow): Promise<Reply> {
  const { state: before, application } = loaded
  if (before.resumedAt !== null) return invitationEndPage(context, before, application)
  const resumed = await resumeFlow(context, loaded)
  if ('unfinished' in resumed) {
    return { status: 302, headers: { location: signOnPage(context.site, application, before.id) } }
  }
  const nothing = { *store() {} }
  const finished = await endFlow(context, loaded, resumed, { issue: async () => nothing })
  const home = 'failure' in finished ? undefined : whereTo(context, application, resumed.user?.user.username)
  if (home === undefined) return invitationEndPage(context, resumed.state, application)
  return { status: 302, headers: { location: home } }
}

/** Where an application wants somebody who has just got an account. */
function whereTo({ site }: Context, { document }: Application, loginHint: string | undefined): string | undefined {
  const login = initiateLogin(site.issuer, document, { loginHint, targetLinkUri: undefined })
  if ('uri' in login) return withQuery(login.uri, login.parameters)
  const { homePageUrl } = document
  return homePageUrl !== undefined && /^https?:\/\//i.test(homePageUrl) ? homePageUrl : undefined
}
