/**
 * The inbox of `stile dev`: what would have been sent, since no mail server is set (experience.md, "First run"). As a page
 * and as JSON for scripts.
 *
 * Never: part of `serve`.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso } from '../contract/validation.ts'
import { html } from '../pages/html.ts'
import { pageHeaders } from '../pages/headers.ts'
import { renderPage } from '../pages/layout.ts'
import { defaultLanguage } from '../pages/texts/language.ts'
import { problem } from '../errors/problem.ts'
import { inboxOf, type InboxRow } from '../storage/sql/inbox.ts'

const message = z.object({
  id: z.string(),
  template: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  createdAt: z.string(),
})

/** A message as JSON. */
function written({ id, template, recipient, subject, body, created_at }: InboxRow): z.output<typeof message> {
  return { id, template, to: recipient, subject, text: body, createdAt: iso(created_at) }
}

/** Renders the messages, the newest first. */
export function renderInbox(messages: readonly z.output<typeof message>[]): string {
  const list = messages.map(
    ({ id, to, subject, text, createdAt }) => html`<section id="${id}"><h2>${subject}</h2>
<p class="muted">To <bdi>${to}</bdi>, ${createdAt}</p>
<pre>${text}</pre></section>`,
  )
  return renderPage({
    language: defaultLanguage,
    heading: 'Inbox',
    main: html`<p class="muted">Messages that would have been sent. Set STILE_SMTP_URL to send them.</p>
${list.length > 0 ? list : html`<p>There are none yet.</p>`}`,
  })
}

/**
 * The operations of the inbox.
 * @param environmentId the demo environment; undefined as long as it is being made
 */
export function inboxOperations(environmentId: () => string | undefined): readonly Operation[] {
  const declaration = {
    method: 'GET',
    surface: 'page',
    tag: 'Development',
    source: 'experience.md, "First run"',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    errors: ['UNAVAILABLE'],
  } as const
  const messages = async ({ kernel }: Context) => {
    const id = environmentId()
    if (!id) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' } })
    return (await kernel.storage.read(inboxOf(id))).map(written)
  }
  return [
    defineOperation({
      ...declaration,
      id: 'inboxPage',
      path: '/dev/inbox',
      summary: 'The messages that a development server kept',
      replies: { 200: null },
      async handle(_input, context) {
        return { status: 200, html: renderInbox(await messages(context)), headers: pageHeaders({ formActions: [] }) }
      },
    }),
    defineOperation({
      ...declaration,
      id: 'inbox',
      path: '/dev/inbox.json',
      summary: 'The messages that a development server kept, as JSON',
      replies: { 200: z.object({ messages: z.array(message) }) },
      async handle(_input, context) {
        return { status: 200, body: { messages: await messages(context) } }
      },
    }),
  ]
}
