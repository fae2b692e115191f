/**
 * The page behind the link that is mailed to an e-mail address which was changed: `{pagesBase}/emailChange?token=…`
 * (extension; row K34). `GET` asks, `POST` takes the address back: programs that look at links change nothing.
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
  /** The form carries the token. */
  | { readonly kind: 'ask'; readonly token: string }
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
  return renderPage({
    language,
    heading: say(language, 'emailChange.heading'),
    main: html`<p>${say(language, 'emailChange.text')}</p>
<form method="post" action="emailChange"><input type="hidden" name="token" value="${view.token}">
<button class="button" autofocus>${say(language, 'emailChange.submit')}</button></form>
<p>${say(language, 'emailChange.keep')}</p>`,
  })
}

function show(context: Context, view: EmailChangeView): Reply {
  const language = chooseLanguage(null, context.headers['accept-language'])
  return {
    status: view.kind === 'over' ? 404 : 200,
    html: renderEmailChange(view, language),
    headers: pageHeaders({ formActions: view.kind === 'ask' ? ["'self'"] : [] }),
  }
}

const token = z.string().min(1).max(4096)

const declaration = {
  path: '/{environmentId}/emailChange',
  surface: 'page',
  tag: 'Pages',
  extension: true,
  permission: { kind: 'public' },
  cors: 'none',
  source: 'security-and-reliability K34',
  params: z.object({ environmentId: uuid }),
  replies: { 200: null, 404: null },
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
    summary: 'Take a changed e-mail address back',
    body: formBody(z.object({ token })),
    event: 'USER.EMAIL_CHANGE_REVERTED',
    async handle({ body }, context) {
      const { data } = token.safeParse(body.values['token'])
      const isDone = data !== undefined && (await revertEmailChange(context, data))
      return show(context, { kind: isDone ? 'done' : 'over' })
    },
  }),
]
