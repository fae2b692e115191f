/**
 * SMS and calls over HTTP: the API of Twilio (Messages and Calls, 2010-04-01), Syniverse, or a provider of one's own.
 * platform-api 3.18. Every attempt at a message carries its id, so that a provider that looks can tell it from a second message.
 *
 * Never: a connection made but through egress; markup from a value in what is spoken.
 */
import type { OutboundRequest } from '../external/egress.ts'
import { askCustomProvider, askProvider, type ProviderPorts } from './ask-provider.ts'
import { fillRequest } from './custom-provider.ts'
import { PermanentFailure } from './delivery-failure.ts'
import { escapeMarkup } from './rules/html-body.ts'
import type { CustomPhoneSettings, PhoneSettings, TwilioSettings } from './phone-settings.ts'
import type { MessageBy } from './rules/render.ts'
import { type Spoken, spokenText } from './rules/spoken.ts'
import { senderFor } from './sender-number.ts'
import { sendBySyniverse } from './syniverse.ts'

/** A message by phone, and to whom. */
export interface PhoneMessage {
  /** Names the message, whatever the attempt. */
  readonly id: string
  /** E.164. */
  readonly to: string
  /** What is dialled once a call is taken; undefined: nothing. */
  readonly extension?: string | undefined
  /** ISO 3166 alpha-2; undefined when the number does not say. */
  readonly country: string | undefined
  readonly message: MessageBy<'SMS'> | MessageBy<'Voice'>
  /** What the notification knows, for providers of one's own. */
  readonly variables: Readonly<Record<string, string>>
}

/** A provider that can be asked. */
export interface PhoneProvider {
  /** Where the API of Twilio is. */
  readonly twilioUrl: string
  /** Where the gateway of Syniverse is. */
  readonly syniverseUrl: string
  /** With their secret. */
  readonly settings: PhoneSettings
}

/**
 * Sends a message.
 * @throws PermanentFailure when the provider will never take it; TemporaryFailure when it may later
 */
export async function sendByPhone(ports: ProviderPorts, provider: PhoneProvider, message: PhoneMessage): Promise<void> {
  const { settings } = provider
  switch (settings.provider) {
    case 'CUSTOM_TWILIO':
      await askProvider(ports.egress, twilioRequest(provider.twilioUrl, settings, message))
      return
    case 'CUSTOM_SYNIVERSE':
      return sendBySyniverse(ports.egress, provider.syniverseUrl, settings, message)
    case 'CUSTOM_PROVIDER':
      await askCustomProvider(ports, settings.authentication, customPhoneRequest(settings, message))
  }
}

function twilioRequest(base: string, settings: TwilioSettings, phone: PhoneMessage) {
  const { id, to, extension, country, message } = phone
  const isSms = message.deliveryMethod === 'SMS'
  const from = (isSms ? message.sender : undefined) ?? senderFor(settings.numbers, isSms ? 'SMS' : 'VOICE', country)
  if (from === undefined) throw new PermanentFailure('no-sender')
  const form = new URLSearchParams({ To: to, From: from })
  if (message.deliveryMethod === 'SMS') form.set('Body', message.text)
  else form.set('Twiml', twiml(message))
  // A second for whoever takes the call, then the keys; `W` is a pause of a second.
  if (extension !== undefined) form.set('SendDigits', `W${extension.replaceAll(',', 'W')}`)
  return {
    method: 'POST',
    url: `${base}/2010-04-01/Accounts/${settings.sid}/${isSms ? 'Messages' : 'Calls'}.json`,
    headers: {
      authorization: `Basic ${Buffer.from(`${settings.sid}:${settings.authToken ?? ''}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': id,
    },
    body: form.toString(),
    maximumBytes: 64 * 1024,
  } as const
}

/** What a call says, as Twilio reads it. */
function twiml({ parts, voice, locale }: MessageBy<'Voice'>): string {
  const attributes = ` language="${escapeMarkup(locale)}"${voice === undefined ? '' : ` voice="${escapeMarkup(voice)}"`}`
  const written = (part: Spoken) =>
    part.kind === 'pause' ? '<Pause length="1"/>' : `<Say${attributes}>${escapeMarkup(spokenText([part]))}</Say>`
  return `<Response>${parts.map(written).join('')}</Response>`
}

function customPhoneRequest(settings: CustomPhoneSettings, phone: PhoneMessage): OutboundRequest {
  const { id, to, extension, country, message, variables } = phone
  const capability = message.deliveryMethod === 'SMS' ? 'SMS' : 'VOICE'
  const request = settings.requests.find(({ deliveryMethod }) => deliveryMethod === capability)
  if (!request) throw new PermanentFailure('no-provider')
  // Without the extension the code would be told to whoever takes the call.
  const canDial = `${request.url} ${request.body ?? ''}`.includes('${extension}')
  if (extension !== undefined && !canDial) throw new PermanentFailure('no-provider')
  const { phoneNumberFormat, beforeTag = '', afterTag = '' } = request
  const sender = message.deliveryMethod === 'SMS' ? message.sender : undefined
  const said =
    message.deliveryMethod === 'SMS' ? message.text : spokenText(message.parts, { before: beforeTag, after: afterTag })
  return fillRequest(request, id, {
    ...variables,
    to: phoneNumberFormat === 'FULL' ? to : to.replaceAll(/\D/g, ''),
    extension: extension ?? '',
    from: sender ?? senderFor(settings.numbers ?? [], capability, country) ?? '',
    message: said,
    locale: message.locale,
    voice: message.deliveryMethod === 'Voice' ? (message.voice ?? '') : '',
  })
}
