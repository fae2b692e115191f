/**
 * PURE: a notification and the contents there are -> the message that is sent. `${name}` stands for a variable; one that
 * is unknown is left empty, and what a variable holds is text and nothing else (rows W01, W05-W07). Links come from
 * configured origins alone, since whoever promises a message builds them from those (row K18).
 *
 * Never: anything evaluated; a second look at what a variable brought in; a line break in a header; markup from a value.
 */
import { builtInContents, fallbackLocale } from './contents/built-in.ts'
import { escapeMarkup, textOf } from './html-body.ts'
import { type Spoken, spokenParts } from './spoken.ts'
import { contentFrom, type ContentFor, type PartialMailbox, type TemplateContent } from './template-content.ts'
import { type DeliveryMethod, type Template, type TemplateName, templates } from './templates.ts'

/** A message ready to be sent. */
export type RenderedMessage =
  | {
      readonly deliveryMethod: 'Email'
      readonly subject: string
      readonly text: string
      readonly html?: string
      readonly from?: PartialMailbox
      readonly replyTo?: PartialMailbox
    }
  | { readonly deliveryMethod: 'SMS'; readonly text: string; readonly sender?: string; readonly locale: string }
  | {
      readonly deliveryMethod: 'Voice'
      readonly parts: readonly Spoken[]
      readonly voice?: string
      readonly locale: string
    }
  | { readonly deliveryMethod: 'Push'; readonly title: string; readonly body: string; readonly category: string }

/** A message of one delivery method. */
export type MessageBy<M extends RenderedMessage['deliveryMethod']> = Extract<RenderedMessage, { deliveryMethod: M }>

/** What is to be said, and how. */
export interface Wanted {
  readonly template: TemplateName
  /** Default: Email. */
  readonly deliveryMethod?: DeliveryMethod
  /** Default: none. */
  readonly variant?: string
  /** BCP 47 tags in order of preference. */
  readonly locales: readonly string[]
  /** What stands for `${name}`. */
  readonly variables: Readonly<Record<string, string>>
}

/**
 * Renders a notification.
 * @param stored the contents that the environment has for the template
 * @returns undefined where neither the environment nor Stile has a content for the delivery method
 */
export function renderNotification(wanted: Wanted, stored: readonly TemplateContent[]): RenderedMessage | undefined {
  const content = chooseContent(wanted, stored)
  if (!content) return undefined
  const values = valuesOf(wanted)
  const fill = (text: string, prepare: (value: string) => string) => filled(text, values, prepare)
  switch (content.deliveryMethod) {
    case 'Email':
      return renderEmail(content, fill)
    case 'SMS': {
      const text = fill(content.content, (value) => value)
      const { sender, locale } = content
      return { deliveryMethod: 'SMS', text, locale, ...(sender === undefined ? {} : { sender }) }
    }
    case 'Voice': {
      const parts = spokenParts(content.content, (text) => fill(text, oneLine))
      const { voice, locale } = content
      return { deliveryMethod: 'Voice', parts, locale, ...(voice === undefined ? {} : { voice }) }
    }
    case 'Push':
      return {
        deliveryMethod: 'Push',
        title: fill(content.title, oneLine),
        body: fill(content.body, (value) => value),
        category: content.pushCategory,
      }
  }
}

function renderEmail(
  content: ContentFor<'Email'>,
  fill: (text: string, prepare: (value: string) => string) => string,
): RenderedMessage {
  const { body, from, replyTo } = content
  const isHtml = content.emailContentType === 'text/html'
  const html = isHtml ? fill(body, escapeMarkup) : undefined
  return {
    deliveryMethod: 'Email',
    subject: fill(content.subject ?? '', oneLine),
    text: html === undefined ? fill(body, (value) => value) : textOf(html),
    ...(html === undefined ? {} : { html }),
    ...(from ? { from: filledMailbox(from, fill) } : {}),
    ...(replyTo ? { replyTo: filledMailbox(replyTo, fill) } : {}),
  }
}

/** Only the name may hold variables: an address that a user could choose would send answers to them. */
function filledMailbox(
  { name, address }: PartialMailbox,
  fill: (text: string, prepare: (value: string) => string) => string,
): PartialMailbox {
  return {
    ...(name === undefined ? {} : { name: fill(name, oneLine) }),
    ...(address === undefined ? {} : { address }),
  }
}

/**
 * The content to use: by the languages in their order, each first as it is and then by its first part; of one language
 * the wanted variant before none, the environment's own before what is built in.
 */
export function chooseContent(
  { template, deliveryMethod = 'Email', variant, locales }: Wanted,
  stored: readonly TemplateContent[],
): TemplateContent | undefined {
  const own = stored.filter((content) => content.deliveryMethod === deliveryMethod)
  const pools = [
    ...(variant === undefined ? [] : [own.filter((content) => content.variant === variant)]),
    own.filter((content) => content.variant === undefined),
    builtInFor(template, deliveryMethod),
  ]
  for (const tag of [...locales, fallbackLocale].map((locale) => locale.toLowerCase())) {
    for (const wanted of new Set([tag, tag.split('-')[0]])) {
      for (const pool of pools) {
        const found = pool.find(({ locale }) => locale.toLowerCase() === wanted)
        if (found) return found
      }
    }
  }
  return pools.find((pool) => pool.length > 0)?.[0]
}

/** What is built in for a template, by language. */
export function builtInFor(
  template: TemplateName,
  deliveryMethod: TemplateContent['deliveryMethod'],
): readonly TemplateContent[] {
  return [...builtInContents].flatMap(([locale, contents]) => {
    const builtIn = contents[template]
    return (builtIn && contentFrom(builtIn, deliveryMethod, locale)) ?? []
  })
}

/** A value is not read beyond this many characters, and all values of one text not beyond `longestFilling`. */
const longestValue = 2_000
const longestFilling = 100_000

function valuesOf({ template, variables }: Wanted): ReadonlyMap<string, string> {
  const { variables: known, allowDynamicVariables }: Template = templates[template]
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(variables)) {
    if (allowDynamicVariables || Object.hasOwn(known, name)) values.set(name, harmless(name, value))
  }
  const code = values.get('code')
  if (code !== undefined && Object.hasOwn(known, 'otp')) values.set('otp', code)
  return values
}

/**
 * A name that somebody chose, as the text it is: one line, no change of direction, and nothing that a mail program would
 * make a link of (row W07). The characters that are put in are not seen and take no room.
 */
function harmless(name: string, value: string): string {
  const text = value.slice(0, longestValue)
  if (!/^(user|device|application|credential)\./.test(name)) return text
  const plain = oneLine(text).replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '')
  // An identifier has to stay readable and copyable: an e-mail address is one.
  const breaking = name === 'user.username' || name === 'user.email' ? /[/:](?=\S)/g : /[./:@](?=\S)/g
  return plain.replaceAll(breaking, '$&\u2060')
}

function oneLine(value: string): string {
  return value.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}

function filled(text: string, values: ReadonlyMap<string, string>, prepare: (value: string) => string): string {
  let room = longestFilling
  const prepared = new Map<string, string>()
  return text.replaceAll(/\$\{([A-Za-z_][\w.]{0,63})\}/g, (_, name: string) => {
    const value = prepared.get(name) ?? prepare(values.get(name) ?? '')
    prepared.set(name, value)
    room -= value.length
    return room < 0 ? '' : value
  })
}
