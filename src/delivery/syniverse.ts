/**
 * SMS and calls by an account at Syniverse: its Communication Gateway ("SCG External API" v1, `message_requests` and
 * `sender_ids`). platform-api 3.18 (`CUSTOM_SYNIVERSE`).
 *
 * Messages go out in the name of a sender id, which the account knows the number of; settings name the number.
 *
 * Never: a text that the gateway would read as a template, since names that users choose stand in it.
 */
import type { Egress } from '../external/egress.ts'
import { askProvider } from './ask-provider.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'
import type { SyniverseSettings } from './phone-settings.ts'
import type { MessageBy } from './rules/render.ts'
import { spokenText } from './rules/spoken.ts'
import { senderFor } from './sender-number.ts'

/** A message by phone, as the gateway takes it. */
export interface SyniverseMessage {
  /** Names the message, whatever the attempt. */
  readonly id: string
  /** E.164. */
  readonly to: string
  /** Nothing can be dialled once a call is taken. */
  readonly extension?: string | undefined
  readonly country: string | undefined
  readonly message: MessageBy<'SMS'> | MessageBy<'Voice'>
}

interface SenderId {
  readonly id: string
  readonly address: string
  readonly capabilities: readonly string[]
}

const senderIdsPerPage = 100
const mostPages = 10

/**
 * Sends a message.
 * @param base the origin of the gateway
 * @param settings with their secret
 * @throws PermanentFailure when it will never be taken; TemporaryFailure when it may be later
 */
export async function sendBySyniverse(
  egress: Egress,
  base: string,
  settings: SyniverseSettings,
  { id, to, extension, country, message }: SyniverseMessage,
): Promise<void> {
  // Without the extension the code would be told to whoever takes the call.
  if (extension !== undefined) throw new PermanentFailure('no-provider')
  const isSms = message.deliveryMethod === 'SMS'
  const capability = isSms ? 'SMS' : 'VOICE'
  const number = (isSms ? message.sender : undefined) ?? senderFor(settings.numbers, capability, country)
  if (number === undefined) throw new PermanentFailure('no-sender')
  const api = `${base}/scg-external-api/api/v1/messaging`
  const headers = { authorization: `Bearer ${settings.authToken ?? ''}`, accept: 'application/json' }
  const sender = await findSenderId(egress, api, headers, number, capability)
  if (sender === undefined) throw new PermanentFailure('no-sender')
  await askProvider(egress, {
    method: 'POST',
    url: `${api}/message_requests`,
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({
      from: `sender_id:${sender}`,
      to: [isSms ? to : `voice:${to}`],
      body: plain(isSms ? message.text : spokenText(message.parts)),
      external_id: id,
    }),
    maximumBytes: 64 * 1024,
  })
}

/** The sender id of a number that can send by this method. */
async function findSenderId(
  egress: Egress,
  api: string,
  headers: Readonly<Record<string, string>>,
  number: string,
  capability: 'SMS' | 'VOICE',
): Promise<string | undefined> {
  for (let page = 0; page < mostPages; page += 1) {
    const query = new URLSearchParams({
      state: 'ACTIVE',
      limit: String(senderIdsPerPage),
      offset: String(page * senderIdsPerPage),
    })
    const { body } = await askProvider(egress, { method: 'GET', url: `${api}/sender_ids?${query.toString()}`, headers })
    const senderIds = senderIdsFrom(body)
    const found = senderIds.find(
      ({ address, capabilities }) => isSameNumber(address, number) && capabilities.includes(capability),
    )
    if (found) return found.id
    if (senderIds.length < senderIdsPerPage) return undefined
  }
  return undefined
}

/** Numbers are written with a plus sign or without. */
function isSameNumber(one: string, other: string): boolean {
  const bare = (text: string) => text.replaceAll(/[\s+]/g, '')
  return bare(one) === bare(other)
}

function senderIdsFrom(body: Buffer): readonly SenderId[] {
  try {
    const { list } = JSON.parse(body.toString('utf8')) as { readonly list: readonly Partial<SenderId>[] }
    return list.map(({ id, address, capabilities }) => ({
      id: String(id),
      address: String(address),
      capabilities: Array.isArray(capabilities) ? capabilities : [],
    }))
  } catch {
    throw new TemporaryFailure('the provider answered without a list of sender ids')
  }
}

/** What would begin a directive, a reference or a comment of the gateway's templates (Velocity) begins none. */
function plain(text: string): string {
  return text.replaceAll(/[#$](?=[A-Za-z_{!#*[])/g, '$& ')
}
