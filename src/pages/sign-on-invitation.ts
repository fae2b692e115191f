/**
 * The page on which an invitation is accepted: the first password of an account (authentication-api 4.1 row 14; row K36).
 * The form carries the code that the link brought along; without one there is nothing to accept.
 */
import type { Content, FormPlace } from './sign-on-forms.ts'
import { html } from './html.ts'
import { firstPasswordPolicy, type PasswordRequirements, requirementsList } from './password-requirements.ts'
import { field, type FieldContext, showPassword } from './sign-on-fields.ts'
import { hiddenUsername, postForm, submit } from './sign-on-forms.ts'
import { say } from './texts/language.ts'

/** A flow that waits for that. */
export interface InvitationView extends FormPlace {
  readonly applicationName: string
  /** As the address or the form before has brought it. */
  readonly inviteCode?: string | undefined
  readonly user?: { readonly username: string } | undefined
  readonly passwordPolicy?: PasswordRequirements | undefined
}

/** Asks for the password; or not to accept. */
export function invitation(view: InvitationView, context: FieldContext): Content {
  const { inviteCode, applicationName: application } = view
  const { language, error } = context
  if (inviteCode === undefined) return { heading: 'invitation.heading', text: 'invitation.linkNeeded', forms: [] }
  const policy = firstPasswordPolicy(view.passwordPolicy)
  const answer = (accept: boolean) =>
    html`<input type="hidden" name="inviteCode" value="${inviteCode}"><input type="hidden" name="accept" value="${String(accept)}">`
  const accepting = [
    answer(true),
    hiddenUsername(view),
    policy && requirementsList(policy, error?.missed ?? [], language),
    field(context, 'password', { isFirst: true, isNew: true }),
    showPassword(language),
    submit(context, 'invitation.submit'),
  ]
  const declining = [answer(false), html`<button class="link">${say(language, 'invitation.decline')}</button>`]
  return {
    heading: 'invitation.heading',
    note: say(language, 'invitation.text', { application }),
    forms: [postForm(view, 'user.acceptInvite', accepting), postForm(view, 'user.acceptInvite', declining)],
  }
}
