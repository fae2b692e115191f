/**
 * The pages of the device authorization grant: the code that the device shows, and what it is let have (RFC 8628 sections 3.3
 * and 5.4; row Q06). Whoever was sent a code by somebody else has to see here what they would do, so both pages say it.
 *
 * Never: a page that goes on by itself, or an answer that has the focus.
 */
import type { ConsentDetail, ScopeView } from '../flow/consent.ts'
import type { DeviceAuthorizationView } from '../flow/device-grant.ts'
import { html } from './html.ts'
import { answers, detailList, scopeList } from './sign-on-consent.ts'
import { type FieldContext, field } from './sign-on-fields.ts'
import { type Content, type FormPlace, postForm, submit } from './sign-on-forms.ts'
import { say } from './texts/language.ts'

/** A flow that is about a device. */
export interface DeviceGrantView extends FormPlace {
  readonly applicationName: string
  readonly deviceAuthorization?: DeviceAuthorizationView | undefined
  readonly scopes?: readonly ScopeView[] | undefined
  /** What is asked for beside scopes (RFC 9396). */
  readonly authorizationDetails?: readonly ConsentDetail[] | undefined
}

/** Asks for the code; one that the address brought along is there to be compared. */
export function deviceUserCode(view: DeviceGrantView, context: FieldContext): Content {
  const { userCode } = view.deviceAuthorization ?? {}
  const values = { ...(userCode === undefined ? {} : { userCode }), ...context.values }
  const fields = [
    field({ ...context, values }, 'userCode', { isFirst: true }),
    submit(context, 'deviceGrant.code.submit'),
  ]
  return {
    heading: 'deviceGrant.code.heading',
    text: userCode === undefined ? 'deviceGrant.code.text' : 'deviceGrant.code.check',
    forms: postForm(view, 'deviceAuthGrant.userCode.verify', fields),
  }
}

/** Asks whether the device may have what it asks for. */
export function deviceConsent(view: DeviceGrantView, context: FieldContext): Content {
  const { language } = context
  const { userCode = '', remoteAddress = '', requestedAt = '' } = view.deviceAuthorization ?? {}
  const time = html`<time datetime="${requestedAt}">${say(language, 'deviceGrant.consent.utc', { time: requestedAt.slice(11, 16) })}</time>`
  return {
    heading: 'deviceGrant.consent.heading',
    note: say(language, 'deviceGrant.consent.text', { application: view.applicationName }),
    forms: [
      scopeList(view.scopes ?? [], language),
      detailList(view.authorizationDetails ?? []),
      html`<dl class="facts">
<dt>${say(language, 'deviceGrant.consent.code')}</dt><dd><strong>${userCode}</strong></dd>
<dt>${say(language, 'deviceGrant.consent.address')}</dt><dd><bdi>${remoteAddress}</bdi></dd>
<dt>${say(language, 'deviceGrant.consent.time')}</dt><dd>${time}</dd>
</dl>
<p>${say(language, 'deviceGrant.consent.warning')}</p>`,
      ...answers(view, 'deviceAuthGrant.consent', language, {
        yes: 'deviceGrant.consent.allow',
        no: 'deviceGrant.consent.deny',
      }),
    ],
  }
}
