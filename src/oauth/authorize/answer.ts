/**
 * Where the answer of an authorization request goes: to the redirect URI in its mode, as PingOne JSON with `pi.flow`
 * (authentication-api 2.5), or to a page when there is no address that is known good (decision D10).
 */
import type { Context, Reply } from '../../contract/operation.ts'
import type { Application } from '../../environment/application.ts'
import { Problem, toOAuth, toPingOne } from '../../errors/problem.ts'
import { errorPage } from '../../pages/error.ts'
import { pageHeaders } from '../../pages/headers.ts'
import { sessionStateOfBrowser } from '../session-state.ts'
import type { ReturnPath } from './request.ts'
import { redirectReply } from './response.ts'

/** Answers a failure to the application. */
export async function refuseTo(
  path: ReturnPath,
  client: Application,
  failure: Problem,
  context: Context,
): Promise<Reply> {
  const { mode, redirectUri } = path
  if (mode === 'pi.flow' || redirectUri === null) return refuseAsJson(failure, context)
  const parameters = await failureParameters(context, client, { ...path, redirectUri }, failure)
  // What cannot be encrypted as the application wants it does not leave this server.
  return redirectReply(context, { mode, redirectUri, client }, parameters).catch((error: unknown) => {
    if (error instanceof Problem) return refuseHere(mode, error, context)
    throw error
  })
}

/** What an application is told of a failure (RFC 6749 section 4.1.2.1, RFC 9207, Session Management 1.0 section 3.2). */
export async function failureParameters(
  context: Context,
  client: Application,
  { redirectUri, state }: Pick<ReturnPath, 'state'> & { readonly redirectUri: string },
  failure: Problem,
): Promise<Readonly<Record<string, string>>> {
  const sessionState = await sessionStateOfBrowser(context, client, redirectUri)
  return {
    ...toOAuth(failure, context.correlationId),
    ...(state === null ? {} : { state }),
    ...(sessionState === undefined ? {} : { session_state: sessionState }),
    iss: context.site.issuer,
  }
}

/**
 * PingOne JSON for `pi.flow`. Clients read the reason from `details[0].code`, so one is there whenever the request
 * could be told to the application.
 */
function refuseAsJson(failure: Problem, context: Context): Reply {
  const body = toPingOne(failure, context.correlationId)
  const detail = interactions[failure.entry.oauth ?? ''] ?? { code: 'INVALID_VALUE', message: failure.message }
  const { headers, entry } = failure
  return { status: entry.status, headers, body: { ...body, details: body.details ?? [detail] } }
}

/** What the user would have to do, where the request does not let them be asked. */
const interactions: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  login_required: {
    code: 'LOGIN_REQUIRED',
    message: 'User authentication is required, but the request does not allow interaction.',
  },
  consent_required: {
    code: 'CONSENT_REQUIRED',
    message: 'The consent of the user is required, but the request does not allow interaction.',
  },
}

/** Answers a failure that must not leave this server: an unknown client or redirect URI. */
export function refuseHere(mode: ReturnPath['mode'], failure: Problem, context: Context): Reply {
  if (mode === 'pi.flow') {
    const { id, code, message } = toPingOne(failure, context.correlationId)
    return { status: 400, body: { id, code, message } }
  }
  return { status: 400, html: errorPage(failure, context.correlationId), headers: pageHeaders({ formActions: [] }) }
}
