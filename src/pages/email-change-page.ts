/**
 * The page behind the link that is mailed to an e-mail address which was changed: `{pagesBase}/emailChange?token=…`
 * (extension; rows K19, K34). `GET` asks, `POST` takes the address back, once somebody has typed it: programs that look at
 * links, and send what forms they find there, change nothing.
 *
 * Never: whose account it is, since a link may have been passed on.
 */
import { z } from 'zod'
import { type Context, defineOperation, formBody, type Operation, type Reply } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { mayBeReverted, revertEmailChange } from '../flow-runtime/email-change-reversal.ts'
import { pageHeaders } from './headers.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { chooseLanguage, type Language, say } from './texts/language.ts'

/** What the page shows. */
export type EmailChangeView =
  /** The form carries the token. `isWrong`: another address was typed, or none. */
  | { readonly kind: 'ask'; readonly token: string; readonly isWrong?: true }
  | { readonly kind: 'done' }
  /** The link is of no use any more. */
  | { readonly kind: 'over' }

/** Renders the page. */
export function renderEmailChange(view: EmailChangeView, language: Language): string {
  if (view.kind === 'done') {
    return renderPage({
      language,
      heading: say(language, 'emailChange.done.heading'),
      main: html`<p>${say(language, 'emailChange.done.text')}</p><p>${say(language, 'emailChange.done.advice')}</p>`,
    })
  }
  if (view.kind === 'over') {
    return renderPage({
      language,
      heading: say(language, 'emailChange.over.heading'),
      hasError: true,
      main: html`<p>${say(language, 'emailChange.over.text')}</p><p>${say(language, 'emailChange.over.advice')}</p>`,
    })
  }
  const { token: shown, isWrong = false } = view
  return renderPage({
    language,
    heading: say(language, 'emailChange.heading'),
    hasError: isWrong,
    main: html`<p>${say(language, 'emailChange.text')}</p>
<form method="post" action="emailChange"><input type="hidden" name="token" value="${shown}">
<div class="field">
<label for="email">${say(language, 'emailChange.label')}</label>
<input id="email" name="email" type="email" autocomplete="email" required autocapitalize="none" spellcheck="false"${
      isWrong && html` aria-invalid="true" aria-describedby="email-error"`
    } autofocus>
${isWrong && html`<p class="error" id="email-error">${say(language, 'emailChange.wrong')}</p>`}
</div>
<button class="button">${say(language, 'emailChange.submit')}</button></form>
<p>${say(language, 'emailChange.keep')}</p>`,
  })
}

function show(context: Context, view: EmailChangeView): Reply {
  const language = chooseLanguage(null, context.headers['accept-language'])
  return {
    status: statusOf(view),
    html: renderEmailChange(view, language),
    headers: pageHeaders({ formActions: view.kind === 'ask' ? ["'self'"] : [] }),
  }
}

function statusOf(view: EmailChangeView): 200 | 400 | 404 {
  if (view.kind === 'over') return 404
  return view.kind === 'ask' && view.isWrong ? 400 : 200
}

const token = z.string().min(1).max(4096)

const declaration = {
  path: '/{environmentId}/emailChange',
  surface: 'page',
  tag: 'Pages',
  extension: true,
  permission: { kind: 'public' },
  cors: 'none',
  source: 'security-and-reliability K19, K34',
  params: z.object({ environmentId: uuid }),
  replies: { 200: null, 400: null, 404: null },
  errors: ['NOT_FOUND'],
} as const

export const emailChangePageOperations: readonly Operation[] = [
  defineOperation({
    ...declaration,
    id: 'emailChangePage',
    method: 'GET',
    summary: 'Ask whether a changed e-mail address is to be taken back',
    query: z.object({ token: token.optional().catch(undefined) }),
    handle({ query }, context) {
      const { token: shown } = query
      const isGood = shown !== undefined && mayBeReverted(context, shown)
      return show(context, isGood ? { kind: 'ask', token: shown } : { kind: 'over' })
    },
  }),
  defineOperation({
    ...declaration,
    id: 'revertEmailChange',
    method: 'POST',
    summary: 'Take a changed e-mail address back, by typing it',
    body: formBody(z.object({ token, email: z.string().max(320) })),
    event: 'USER.EMAIL_CHANGE_REVERTED',
    async handle({ body }, context) {
      const { data } = token.safeParse(body.values['token'])
      const result = data === undefined ? 'over' : await revertEmailChange(context, data, body.values['email'] ?? '')
      return show(context, result === 'wrong' ? { kind: 'ask', token: data ?? '', isWrong: true } : { kind: result })
    },
  }),
]
