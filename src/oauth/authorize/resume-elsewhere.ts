/**
 * Resume of a flow whose application waits elsewhere: the browser gets nothing but a page, and the grant that the application
 * polls for is approved or denied in the unit that ends the flow. RFC 8628 section 3.3, OpenID CIBA Core; authentication-api
 * 2.15; rows Q05-Q07.
 *
 * Never: a code, a token or an address of the application in what the browser gets.
 */
import type { Context, Reply } from '../../contract/operation.ts'
import { signOnPage } from '../../flow-runtime/address.ts'
import { resumeFlow } from '../../flow-runtime/runtime.ts'
import { settlePolledGrant } from '../../flow-runtime/settle-polled-grant.ts'
import type { StoredFlow } from '../../flow-runtime/stored-flow.ts'
import { elsewherePage } from '../../pages/elsewhere-page.ts'
import { endFlow } from './end-flow.ts'

/** The grant was decided meanwhile, or its time is over. */
class TooLate extends Error {}

/** Answers the browser of such a flow; once it is resumed, with what came of it. */
export async function resumeElsewhere(context: Context, loaded: StoredFlow): Promise<Reply> {
  const { state: before, application } = loaded
  if (before.resumedAt !== null) return elsewherePage(context, before, application)
  const resumed = await resumeFlow(context, loaded)
  if ('unfinished' in resumed) {
    return { status: 302, headers: { location: signOnPage(context.site, application, before.id) } }
  }
  const { state, effect } = resumed
  const settle = function* () {
    if (!(yield* settlePolledGrant(context, state, effect))) throw new TooLate()
  }
  try {
    await endFlow(context, loaded, resumed, { issue: async () => ({ store: settle }), deny: settle })
  } catch (error) {
    if (error instanceof TooLate) return elsewherePage(context, state, application, 'late')
    throw error
  }
  return elsewherePage(context, state, application)
}
