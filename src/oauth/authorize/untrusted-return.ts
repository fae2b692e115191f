/**
 * A request that failed sends the browser to its redirect URI at once only where somebody has vouched for that
 * (`registration/vouched-for.ts`); elsewhere a page comes first (RFC 9700 section 4.11.2, row A22).
 *
 * Never: a client that an administrator has made kept from its OpenID Connect answer.
 */
import type { Context, Reply } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import type { Problem } from '../../errors/problem.ts'
import { clientView } from '../../flow-runtime/client-view.ts'
import { type UntrustedReturn, untrustedReturnPage } from '../../pages/untrusted-return.ts'
import { chooseLanguage } from '../../pages/texts/language.ts'
import { isVouchedFor } from '../registration/vouched-for.ts'
import { failureParameters, refuseTo } from './answer.ts'
import type { ReturnPath } from './request.ts'
import { packed } from '../response-modes/jwt.ts'
import { type Destination, redirectReply } from './response.ts'

/**
 * Answers a failure to the application, by a page in between where its address is not to be trusted.
 * @param path whose redirect URI is registered for the client
 */
export async function refuseFrom(
  client: Application,
  path: ReturnPath,
  failure: Problem,
  context: Context,
): Promise<Reply> {
  const { mode, redirectUri } = path
  if (mode === 'pi.flow' || redirectUri === null || isVouchedFor(context.environment, client, redirectUri)) {
    return refuseTo(path, client, failure, context)
  }
  const parameters = await failureParameters(context, client, { ...path, redirectUri }, failure)
  const { html, headers } = untrustedReturnPage(
    {
      applicationName: client.name,
      client: clientView(context.site, client, redirectUri),
      code: failure.entry.oauth,
      onward: await onward(context, { mode, redirectUri, client }, parameters),
    },
    chooseLanguage(null, context.headers['accept-language']),
  )
  return { status: 400, html, headers }
}

async function onward(
  context: Context,
  destination: Destination,
  parameters: Readonly<Record<string, string>>,
): Promise<UntrustedReturn['onward']> {
  const { mode, redirectUri, client } = destination
  if (mode === 'form_post') return { action: redirectUri, fields: parameters }
  if (mode === 'form_post.jwt') return { action: redirectUri, fields: await packed(context, client, parameters) }
  const location = (await redirectReply(context, destination, parameters)).headers?.['location']
  if (typeof location !== 'string') throw new Error(`${mode} leads nowhere`)
  return { href: location }
}
