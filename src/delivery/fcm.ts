/**
 * Push messages by Google: Firebase Cloud Messaging, HTTP v1 API, "projects.messages.send". An access token of the service
 * account (RFC 7523) is asked for at its own token endpoint and kept by the node.
 *
 * Never: anything of what is approved in a message.
 */
import type { ClientTokens, ServiceAccount } from '../external/client-tokens.ts'
import { asked, judged, noToken, type ProviderPorts } from './ask-provider.ts'
import { PermanentFailure } from './delivery-failure.ts'
import { type PushCredentials, serviceAccountIn } from './push-credentials.ts'
import type { OutgoingPush } from './push-target.ts'

/** Credentials at Google. */
export type FcmCredentials = Extract<PushCredentials, { type: 'FCM_HTTP_V1' }>

const scopes = ['https://www.googleapis.com/auth/firebase.messaging']
const maximumBytes = 64 * 1024

/** Sends a message. @param url the origin of the service @throws PermanentFailure, TemporaryFailure */
export async function sendByFcm(
  { egress, clientTokens }: ProviderPorts,
  url: string,
  { googleServiceAccountCredentials }: FcmCredentials,
  outgoing: OutgoingPush,
  now: number,
): Promise<void> {
  const account = serviceAccountIn(googleServiceAccountCredentials)
  if (!account) throw new PermanentFailure('unreadable')
  const client: ServiceAccount = {
    tokenEndpoint: account.token_uri,
    email: account.client_email,
    privateKey: account.private_key,
    scopes,
  }
  const ask = async () => {
    const token = await tokenOf(clientTokens, client)
    const request = {
      method: 'POST',
      url: `${url}/v1/projects/${account.project_id}/messages:send`,
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ message: messageOf(outgoing, now) }),
      maximumBytes,
    } as const
    return { token, answer: await asked(egress, request) }
  }
  const first = await ask()
  if (first.answer.status === 401) clientTokens.forget(client, first.token)
  const { answer } = first.answer.status === 401 ? await ask() : first
  if (answer.status === 404 && isUnregistered(answer.body)) throw new PermanentFailure('not-registered')
  judged(answer)
}

function tokenOf(clientTokens: ClientTokens, client: ServiceAccount): Promise<string> {
  return clientTokens.token(client).catch(noToken)
}

function messageOf({ target, message, usefulUntil }: OutgoingPush, now: number) {
  const { title, body, category } = message
  const seconds = Math.max(0, Math.floor((usefulUntil - now) / 1000))
  return {
    token: target.token,
    notification: { title, body },
    data: { category },
    android: { priority: 'HIGH', ttl: `${seconds}s` },
  }
}

/** 404 is said of a project that does not exist as well; only `UNREGISTERED` is about the app. */
function isUnregistered(body: Buffer): boolean {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { readonly error?: { readonly details?: unknown } }
    const details: unknown = error?.details
    return (
      Array.isArray(details) &&
      details.some((each: { errorCode?: unknown } | null) => each?.errorCode === 'UNREGISTERED')
    )
  } catch {
    return false
  }
}
