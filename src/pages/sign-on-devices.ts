/**
 * The sign-on pages of second factors: choosing a device, its passcode, its signature (authentication-api 4.2 `device.select`,
 * `otp.check`, `assertion.check`), waiting for an app.
 */
import { type DeviceView, isSentTo } from '../flow/factors/device.ts'
import { type Html, html } from './html.ts'
import { field, type FieldContext, type SignOnError } from './sign-on-fields.ts'
import { type Content, type FormPlace, postForm, submit } from './sign-on-forms.ts'
import { say, type TextName } from './texts/language.ts'

/** A flow that waits for a second factor. */
export interface DevicesView extends FormPlace {
  /** Second factors of the user, and which of them is in use. */
  readonly devices?: readonly DeviceView[] | undefined
  readonly selectedDevice?: { readonly id: string } | undefined
  /** Where the browser may be remembered. */
  readonly rememberMe?: object | undefined
  /** JSON text for `navigator.credentials.get`. */
  readonly publicKeyCredentialRequestOptions?: string | undefined
  /** The flow, whose status says whether an app has answered. */
  readonly flowUrl?: string | undefined
  /** What is typed into the app. */
  readonly number?: string | undefined
  /** What was wrong with the last attempt. */
  readonly error?: SignOnError | undefined
}

/** The passcode of the chosen device. */
export function passcode(view: DevicesView, context: FieldContext): Content {
  const { selected, others: unused } = chosen(view)
  const content = [
    field(context, 'otp', { isFirst: true }),
    remember(view, context),
    submit(context, 'passcode.submit'),
  ]
  const forms = [postForm(view, 'otp.check', content)]
  if (selected && isSentTo(selected.type))
    forms.push(deviceForm(view, selected, html`<button class="link">${say(context.language, 'code.again')}</button>`))
  return {
    heading: 'passcode.heading',
    text: whence(selected),
    forms: [...forms, ...otherDevices(view, context, unused)],
  }
}

/** Whether the second factor shall be spared here for a while. */
function remember({ rememberMe }: DevicesView, { language }: FieldContext): Html {
  return html`${rememberMe && html`<label class="check"><input type="checkbox" name="rememberMe" value="true"> ${say(language, 'device.remember')}</label>`}`
}

/** Where the passcode comes from. */
function whence(selected: DeviceView | undefined): TextName {
  if (selected?.type === 'TOTP' || selected?.type === 'MOBILE') return 'passcode.fromApp'
  return selected?.type === 'RECOVERY_CODE' ? 'passcode.recovery' : 'passcode.sent'
}

/** What may be used instead. */
function otherDevices(view: DevicesView, context: FieldContext, unused: readonly DeviceView[]): readonly Html[] {
  if (unused.length === 0) return []
  const heading = html`<h2 class="muted">${say(context.language, 'device.others')}</h2>`
  return [heading, ...devices(view, context, unused)]
}

/** The browser is asked by sign-on-script.ts; what it answers goes into the hidden fields. */
export function signingForm(view: DevicesView, context: FieldContext): Html {
  const { language } = context
  const signing = html`<div id="passkey" data-options="${view.publicKeyCredentialRequestOptions ?? ''}" hidden>
<input type="hidden" name="origin"><input type="hidden" name="assertion">
<p class="alert" id="passkey-failed" role="alert" hidden>${say(language, 'passkey.failed')}</p>
${remember(view, context)}<button class="button" type="button"${view.error === undefined && html` autofocus`}>${say(language, 'passkey.use')}</button></div>
<p class="alert" id="passkey-unavailable">${say(language, 'passkey.unavailable')}</p>`
  return postForm(view, 'assertion.check', signing)
}

/** The signature of a FIDO2 device. */
export function passkey(view: DevicesView, context: FieldContext): Content {
  const { language } = context
  const selected = view.devices?.find(({ id }) => id === view.selectedDevice?.id)
  const unused = view.devices?.filter(({ type }) => type !== 'FIDO2') ?? []
  const forms = [signingForm(view, context)]
  // A challenge is good for five minutes: whoever came back later asks for another one.
  if (selected)
    forms.push(deviceForm(view, selected, html`<button class="link">${say(language, 'passkey.again')}</button>`))
  return { heading: 'passkey.heading', text: 'passkey.text', forms: [...forms, ...otherDevices(view, context, unused)] }
}

/** The app was asked; sign-on-script.ts looks at the flow until it has answered. */
export function push(view: DevicesView, context: FieldContext): Content {
  const { language } = context
  const { number } = view
  const focus = view.error === undefined && html` tabindex="-1" autofocus`
  const waiting = html`${number !== undefined && html`<p class="number"${focus}>${number}</p>`}
<p class="muted" role="status" id="push" data-flow="${view.flowUrl ?? ''}"${number === undefined && focus}>${say(language, 'push.waiting')}</p>
<noscript><p><a class="button" href="${view.pageUrl}">${say(language, 'push.continue')}</a></p></noscript>`
  const text = number === undefined ? 'push.text' : 'push.textNumber'
  const reason = html`<input type="hidden" name="reason" value="CHANGE_DEVICE">`
  const cancel = html`${reason}<button class="link">${say(language, 'push.cancel')}</button>`
  const forms = [
    waiting,
    postForm(view, 'cancel.push.authentication', cancel),
    ...appPasscode(view, context),
    ...otherDevices(view, context, chosen(view).others),
  ]
  return { heading: 'push.heading', text, forms }
}

/** The app has not answered, or with another number than the page showed. */
export function pushOver(view: DevicesView, context: FieldContext): Content {
  const { selected, others } = chosen(view)
  const focus = view.error === undefined && html` autofocus`
  const again = html`<button class="button"${focus}>${say(context.language, 'push.again')}</button>`
  const forms = [
    ...(selected ? [deviceForm(view, selected, again)] : []),
    ...appPasscode(view, context),
    ...otherDevices(view, context, others),
  ]
  return { heading: 'push.over', text: 'push.overText', forms }
}

function chosen({ devices: all = [], selectedDevice }: DevicesView) {
  return {
    selected: all.find(({ id }) => id === selectedDevice?.id),
    others: all.filter(({ id }) => id !== selectedDevice?.id),
  }
}

/** The passcode that the app shows, where it may be used instead. */
function appPasscode(view: DevicesView, context: FieldContext): readonly Html[] {
  if (!view.offers.includes('otp.check')) return []
  const heading = html`<h2 class="muted">${say(context.language, 'push.passcode')}</h2>`
  return [heading, postForm(view, 'otp.check', [field(context, 'otp'), submit(context, 'passcode.submit')])]
}

/** One button for each device. @param isFirst whether they are what the page is for */
export function devices(
  view: DevicesView,
  { language }: FieldContext,
  list: readonly DeviceView[],
  isFirst = false,
): readonly Html[] {
  return list.map((device, at) => {
    const name = device.nickname ?? say(language, `device.${device.type}`)
    const target = device.email ?? device.phone
    const focus = isFirst && at === 0 && html` autofocus`
    return deviceForm(
      view,
      device,
      html`<button class="${isFirst ? 'button' : 'link'}"${focus}>${name}${target && html` <bdi>${target}</bdi>`}</button>`,
    )
  })
}

function deviceForm(view: DevicesView, { id }: DeviceView, button: Html): Html {
  return postForm(view, 'device.select', html`<input type="hidden" name="device" value="${id}">${button}`)
}
