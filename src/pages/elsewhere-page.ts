/**
 * The end of a sign-on whose application waits elsewhere, on a device (RFC 8628 section 3.3) or at its backchannel (OpenID
 * CIBA): nobody is taken anywhere, and the page says what has come of it.
 */
import type { Context, Reply } from '../contract/operation.ts'
import type { FailureCode } from '../flow/failure.ts'
import type { FlowState } from '../flow/state.ts'
import { languageOf } from './flow-language.ts'
import { pageHeaders } from './headers.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { type Language, say } from './texts/language.ts'

/** What has come of it. `late`: the request was over, or answered before. */
export type ElsewhereEnd = 'approved' | 'denied' | 'late'

/** Where the application waits. */
export type Elsewhere = 'device' | 'backchannel'

/** What the page tells of. */
export interface ElsewhereView {
  readonly end: ElsewhereEnd
  readonly where: Elsewhere
  /** Undefined where nothing may be told of it. */
  readonly applicationName?: string | undefined
  readonly failure?: FailureCode | undefined
}

/** Renders the end. */
export function renderElsewhere({ end, where, applicationName, failure }: ElsewhereView, language: Language): string {
  const application = applicationName ?? ''
  const said = {
    approved: say(language, `elsewhere.approved.${where}`, { application }),
    denied: say(language, 'elsewhere.denied.text', { application }),
    late: say(language, 'elsewhere.late.text'),
  }[end]
  return renderPage({
    language,
    heading: say(language, `elsewhere.${end}.heading`),
    applicationName,
    hasError: end === 'late',
    main: html`${failure && html`<p>${say(language, `failed.${failure}`)}</p>`}<p>${said}</p>`,
  })
}

/**
 * The page of a flow that is over.
 * @param end default: as the flow itself ended
 */
export function elsewherePage(
  context: Context,
  state: FlowState,
  { name }: { readonly name: string },
  end: ElsewhereEnd = state.outcome ? 'approved' : 'denied',
): Reply {
  const where = state.request.deviceGrant ? 'device' : 'backchannel'
  const failure = end === 'denied' ? state.failure?.code : undefined
  return pageReply(200, renderElsewhere({ end, where, applicationName: name, failure }, languageOf(context, state)))
}

/** The page of a request that is over, or never was. */
export function lateBackchannelPage(context: Context): Reply {
  return pageReply(404, renderElsewhere({ end: 'late', where: 'backchannel' }, languageOf(context, undefined)))
}

function pageReply(status: number, page: string): Reply {
  return { status, html: page, headers: pageHeaders({ formActions: [] }) }
}
