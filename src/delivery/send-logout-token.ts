/**
 * The handler of `logout.send`: posts a logout token to the `backchannelLogoutUri` that an application has by now (OpenID
 * Connect Back-Channel Logout 1.0 sections 2.5 and 2.8; row Q09). At least once: an application may be told twice of one end.
 *
 * What it answers with 2xx is told. Any other 4xx is its last word, but for those that say "later" (408, 425, 429).
 * Everything else is tried again for two hours; meanwhile its other notices wait as well, so that an application that is
 * away costs one attempt now and then, however many users sign off.
 *
 * Never: an address that egress.ts refuses (rows G01 to G09); why an application could not be reached in an event.
 */
import { eventRow } from '../events/record.ts'
import { EgressFailed } from '../external/egress.ts'
import type { Kernel } from '../kernel.ts'
import { originsUnder, resolveSite } from '../site.ts'
import { run } from '../storage/port.ts'
import { insertEvents } from '../storage/sql/events.ts'
import { type LogoutNotice, readLogoutNotice } from './logout-notice.ts'
import { signLogoutToken } from './logout-token.ts'
import type { Attempt, Handler } from './outbox.ts'

const usefulMilliseconds = 2 * 3600 * 1000
const maximumMilliseconds = 5_000
/** Nothing of an answer but its status is of interest. */
const maximumBytes = 16 * 1024
const shortestRestMilliseconds = 30_000
const longestRestMilliseconds = 600_000
const notNow: readonly number[] = [408, 425, 429]

type Ports = Pick<Kernel, 'storage' | 'world' | 'environments' | 'egress' | 'origins' | 'log'>

/** What came of a request: told, refused for good, or the reason why it has to be tried again. */
type Sent = 'told' | 'refused' | { readonly again: string }

/** Applications that could not be told lately, and when they are tried again; of this node. */
interface Rest {
  readonly failures: number
  /** Epoch milliseconds. */
  readonly until: number
}

/** Makes the handler. */
export function sendLogoutToken(ports: Ports): Handler {
  const resting = new Map<string, Rest>()
  return async (attempt) => {
    const { world, environments, origins } = ports
    const environment = await environments.get(attempt.environmentId)
    if (!environment) return 'done'
    const notice = readLogoutNotice(attempt.payload)
    const application = await environments.application(environment.id, notice.clientId)
    const url = application?.enabled ? application.document.backchannelLogoutUri : undefined
    if (!application || url === undefined) return 'done'
    const now = world.now()
    if (now > attempt.createdAt + usefulMilliseconds) return note(ports, attempt, notice, false)
    const rest = resting.get(notice.clientId)
    if (rest && rest.until > now) return { notBefore: rest.until }

    const site = resolveSite(notice.byCustomDomain ? originsUnder(origins, environment) : origins, environment)
    const sent = await post(
      ports,
      url,
      await signLogoutToken(environment, site, application, notice, world.uuid(), now),
    )
    if (typeof sent === 'string') {
      resting.delete(notice.clientId)
      return note(ports, attempt, notice, sent === 'told')
    }
    const failures = (rest?.failures ?? 0) + 1
    const pause = Math.min(longestRestMilliseconds, shortestRestMilliseconds * 2 ** (failures - 1))
    const until = now + pause
    resting.set(notice.clientId, { failures, until })
    const about = { environmentId: environment.id, clientId: notice.clientId, message: attempt.id, why: sent.again }
    ports.log.warn(about, 'an application could not be told of a logout; it is tried again')
    return { notBefore: until }
  }
}

async function post({ egress }: Ports, url: string, token: string): Promise<Sent> {
  try {
    const { status } = await egress({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({ logout_token: token }).toString(),
      maximumBytes,
      maximumMilliseconds,
    })
    if (status >= 200 && status < 300) return 'told'
    return status >= 400 && status < 500 && !notNow.includes(status) ? 'refused' : { again: String(status) }
  } catch (error) {
    if (error instanceof EgressFailed) return { again: error.reason }
    throw error
  }
}

/** Records what became of a notice. */
async function note(
  { storage, world }: Ports,
  { environmentId, id }: Attempt,
  { clientId, userId, sessionId }: LogoutNotice,
  isTold: boolean,
): Promise<'done'> {
  const origin = {
    world,
    now: world.now(),
    environmentId,
    correlationId: id,
    remoteAddress: '',
    actor: { kind: 'anonymous' },
  } as const
  const event = eventRow(origin, {
    action: isTold ? 'LOGOUT_TOKEN.SENT' : 'LOGOUT_TOKEN.FAILED',
    result: isTold ? 'SUCCESS' : 'FAILED',
    subject: { type: 'APPLICATION', id: clientId },
    userId,
    ...(sessionId === undefined ? {} : { sessionId }),
  })
  await storage.commit({ name: 'note-logout-token', single: true, run: () => run(insertEvents([event])) })
  return 'done'
}
