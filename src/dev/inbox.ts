/**
 * The inbox of `stile dev`: what would have been sent, since no provider is set (experience.md, "First run"). As pages,
 * and as JSON for scripts.
 *
 * Never: part of `serve`; a script; anything of a message as markup.
 */
import { z } from 'zod'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import { iso, uuid } from '../contract/validation.ts'
import { notFound, problem } from '../errors/problem.ts'
import { pageHeaders } from '../pages/headers.ts'
import { type Html, html } from '../pages/html.ts'
import { renderPage } from '../pages/layout.ts'
import { defaultLanguage } from '../pages/texts/language.ts'
import { inboxMessage, inboxOf, type InboxRow } from '../storage/sql/inbox.ts'

const inboxItem = z.object({
  id: z.string(),
  template: z.string(),
  deliveryMethod: z.string(),
  to: z.string(),
  subject: z.string().describe('Empty where the delivery method has none.'),
  text: z.string(),
  createdAt: z.string(),
})

/** What the inbox answers as JSON. */
export const inboxSchema = z.object({ messages: z.array(inboxItem).describe('The newest first, at most 100.') })

/** A message of the inbox. */
export type InboxItem = z.output<typeof inboxItem>

function itemFrom({ id, template, delivery_method, recipient, subject, body, created_at }: InboxRow): InboxItem {
  return {
    id,
    template,
    deliveryMethod: delivery_method,
    to: recipient,
    subject,
    text: body,
    createdAt: iso(created_at),
  }
}

function titleOf({ subject, deliveryMethod, template }: InboxItem): string {
  return subject === '' ? `${deliveryMethod}: ${template}` : subject
}

function written(item: InboxItem, heading: Html): Html {
  return html`<section id="${item.id}">${heading}
<p class="muted">${item.deliveryMethod} to <bdi>${item.to}</bdi>, ${item.createdAt}</p>
<pre>${item.text}</pre></section>`
}

/** Renders all messages, the newest first. */
export function renderInbox(items: readonly InboxItem[], query = ''): string {
  const list = items.map((item) =>
    written(item, html`<h2><a href="${`/dev/inbox/${item.id}${query}`}">${titleOf(item)}</a></h2>`),
  )
  return renderPage({
    language: defaultLanguage,
    heading: 'Inbox',
    main: html`<p class="muted">Messages that would have been sent. Set STILE_SMTP_URL, or the delivery settings of the
environment, to send them.</p>
${list.length > 0 ? list : html`<p>There are none yet.</p>`}`,
  })
}

/** Renders one message. */
export function renderInboxItem(item: InboxItem, query = ''): string {
  return renderPage({
    language: defaultLanguage,
    heading: titleOf(item),
    main: html`${written(item, html`<p class="muted">${item.template}</p>`)}
<p><a href="${`/dev/inbox${query}`}">All messages</a></p>`,
  })
}

/**
 * The operations of the inbox.
 * @param demoEnvironmentId the demo environment; undefined as long as it is being made
 */
export function inboxOperations(demoEnvironmentId: () => string | undefined): readonly Operation[] {
  const declaration = {
    method: 'GET',
    surface: 'page',
    tag: 'Development',
    source: 'experience.md, "First run"',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    query: z.object({ environmentId: uuid.optional().describe('Default: the demo environment.') }),
  } as const

  const environmentOf = (wanted: string | undefined): string => {
    const id = wanted ?? demoEnvironmentId()
    if (!id) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' } })
    return id
  }
  const itemsOf = async ({ kernel }: Context, wanted: string | undefined) =>
    (await kernel.storage.read(inboxOf(environmentOf(wanted)))).map(itemFrom)
  const queryFor = (wanted: string | undefined) => (wanted === undefined ? '' : `?environmentId=${wanted}`)
  const page = (content: string) => ({ status: 200, html: content, headers: pageHeaders({ formActions: [] }) })

  return [
    defineOperation({
      ...declaration,
      id: 'inboxPage',
      path: '/dev/inbox',
      summary: 'The messages that a development server kept',
      replies: { 200: null },
      errors: ['UNAVAILABLE', 'INVALID_DATA'],
      handle: async ({ query: { environmentId } }, context) =>
        page(renderInbox(await itemsOf(context, environmentId), queryFor(environmentId))),
    }),
    defineOperation({
      ...declaration,
      id: 'inboxMessagePage',
      path: '/dev/inbox/{messageId}',
      summary: 'One message that a development server kept',
      params: z.object({ messageId: uuid }),
      replies: { 200: null },
      errors: ['UNAVAILABLE', 'INVALID_DATA', 'NOT_FOUND'],
      async handle({ params: { messageId }, query: { environmentId } }, { kernel }) {
        const [row] = await kernel.storage.read(inboxMessage(environmentOf(environmentId), messageId))
        if (!row) throw notFound()
        return page(renderInboxItem(itemFrom(row), queryFor(environmentId)))
      },
    }),
    defineOperation({
      ...declaration,
      id: 'inbox',
      path: '/dev/inbox.json',
      summary: 'The messages that a development server kept, as JSON',
      replies: { 200: inboxSchema },
      errors: ['UNAVAILABLE', 'INVALID_DATA'],
      handle: async ({ query: { environmentId } }, context) => ({
        status: 200,
        body: { messages: await itemsOf(context, environmentId) },
      }),
    }),
  ]
}
