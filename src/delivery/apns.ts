/**
 * Push messages by Apple: "Sending notification requests to APNs". HTTP/2, one request for one device, by a provider token
 * that the team's key signs (ES256); it is made anew every 40 minutes, since Apple refuses one that is older than an hour and
 * one that is changed more often than every 20 minutes.
 *
 * Never: a provider token of one key used for another; anything of what is approved in a message.
 */
import { createHash } from 'node:crypto'
import { signByGivenKey } from '../keys/given-key-jwt.ts'
import type { World } from '../world.ts'
import { asked, type ProviderPorts } from './ask-provider.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'
import type { PushCredentials } from './push-credentials.ts'
import type { OutgoingPush } from './push-target.ts'

/** Credentials at Apple. */
export type ApnsCredentials = Extract<PushCredentials, { type: 'APNS' }>

/** Sends a message. @throws PermanentFailure, TemporaryFailure */
export type SendByApns = (credentials: ApnsCredentials, message: OutgoingPush) => Promise<void>

const tokenMilliseconds = 40 * 60_000
const mostTokens = 500
const maximumBytes = 16 * 1024
const deviceToken = /^[0-9a-f]{64,200}$/i

/** Opens the way to Apple. @param url the origin of its service */
export function openApns({ egress }: Pick<ProviderPorts, 'egress'>, world: World, url: string): SendByApns {
  const kept = new Map<string, { readonly token: string; readonly madeAt: number }>()

  function providerToken(credentials: ApnsCredentials): string {
    const { key, teamId, token } = credentials
    const name = createHash('sha256')
      .update(JSON.stringify([key, teamId, token]))
      .digest('base64url')
    const now = world.now()
    const present = kept.get(name)
    if (present && now < present.madeAt + tokenMilliseconds) return present.token
    const made = signByGivenKey(token, 'ES256', { kid: key }, { iss: teamId, iat: Math.floor(now / 1000) })
    kept.delete(name)
    kept.set(name, { token: made, madeAt: now })
    const [oldest] = kept.keys()
    if (kept.size > mostTokens && oldest !== undefined) kept.delete(oldest)
    return made
  }

  return async (credentials, { id, target, bundleId, message, usefulUntil }) => {
    if (bundleId === undefined) throw new PermanentFailure('no-sender')
    if (!deviceToken.test(target.token)) throw new PermanentFailure('not-registered')
    const { title, body, category } = message
    const answer = await asked(egress, {
      method: 'POST',
      http2: true,
      url: `${url}/3/device/${target.token}`,
      headers: {
        authorization: `bearer ${providerToken(credentials)}`,
        'apns-id': id,
        'apns-topic': bundleId,
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-expiration': String(Math.floor(usefulUntil / 1000)),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ aps: { alert: { title, body }, sound: 'default', category } }),
      maximumBytes,
    })
    if (answer.status !== 200) throw failureOf(answer.status, reasonIn(answer.body))
  }
}

/** What a refusal means for the message. A wrong provider token is for the administrator to mend. */
function failureOf(status: number, reason: string): PermanentFailure | TemporaryFailure {
  if (status === 410 || (status === 400 && reason === 'BadDeviceToken')) return new PermanentFailure('not-registered')
  if (status === 400 || status === 404 || status === 405 || status === 413) {
    return new PermanentFailure('refused', status)
  }
  return new TemporaryFailure(`the provider answered ${status}`)
}

function reasonIn(body: Buffer): string {
  try {
    return String((JSON.parse(body.toString('utf8')) as { readonly reason?: unknown }).reason)
  } catch {
    return ''
  }
}
