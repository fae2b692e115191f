/**
 * Where an invitation begins and ends: the address behind its link, `{pagesBase}/invite?inviteCode=…` (extension; row K36),
 * and the page for whom no application waits. It is accepted on a page of the flow (sign-on-invitation.ts).
 *
 * Never: whose invitation it was, or why it is over, told to somebody who has only a link.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import type { FailureCode } from '../flow/failure.ts'
import type { FlowState } from '../flow/state.ts'
import { followInvitation } from '../flow-runtime/invitation.ts'
import { languageOf } from './flow-language.ts'
import { pageHeaders } from './headers.ts'
import { html } from './html.ts'
import { renderPage } from './layout.ts'
import { chooseLanguage, type Language, say } from './texts/language.ts'

/** How it ended. `over`: the link is of no use any more. */
export type InvitationEnd = 'done' | 'over' | FailureCode

/** Renders the end. */
export function renderInvitationEnd(end: InvitationEnd, language: Language, applicationName?: string): string {
  switch (end) {
    case 'done':
      return renderPage({
        language,
        heading: say(language, 'invitation.done.heading'),
        applicationName,
        main: html`<p>${say(language, 'invitation.done.text')}</p>`,
      })
    case 'over':
      return renderPage({
        language,
        heading: say(language, 'invitation.over.heading'),
        hasError: true,
        main: html`<p>${say(language, 'invitation.over.text')}</p><p>${say(language, 'invitation.over.advice')}</p>`,
      })
    default:
      return renderPage({
        language,
        heading: say(language, 'failed.heading'),
        applicationName,
        hasError: true,
        main: html`<p>${say(language, `failed.${end}`)}</p>
${end === 'INVITATION_DECLINED' && html`<p>${say(language, 'invitation.declined.advice')}</p>`}`,
      })
  }
}

/** The page of a flow for an invitation that is over. */
export function invitationEndPage(context: Context, state: FlowState, { name }: { readonly name: string }): Reply {
  const page = renderInvitationEnd(state.failure?.code ?? 'done', languageOf(context, state), name)
  return { status: 200, html: page, headers: pageHeaders({ formActions: [] }) }
}

async function follow(context: Context, code: string | undefined, uiLocales: string | null): Promise<Reply> {
  const location = code === undefined ? undefined : await followInvitation(context, code, uiLocales)
  if (location !== undefined) return { status: 302, headers: { location } }
  const page = renderInvitationEnd('over', chooseLanguage(uiLocales, context.headers['accept-language']))
  return { status: 404, html: page, headers: pageHeaders({ formActions: [] }) }
}

export const invitationPageOperations: readonly Operation[] = [
  defineOperation({
    id: 'invitationPage',
    method: 'GET',
    path: '/{environmentId}/invite',
    surface: 'page',
    tag: 'Pages',
    summary: 'Begin to accept an invitation, by the link that was sent',
    source: 'docs/decisions/2026-11-27-invitations.md',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ environmentId: uuid }),
    query: z.object({
      inviteCode: z.string().min(1).max(64).optional().catch(undefined),
      ui_locales: z.string().max(256).optional().catch(undefined),
    }),
    replies: { 302: null, 404: null },
    errors: ['access_denied', 'NOT_FOUND'],
    handle: ({ query }, context) => follow(context, query.inviteCode, query.ui_locales ?? null),
  }),
]
