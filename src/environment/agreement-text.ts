/**
 * The text of an agreement (platform-api 3.16): plain, or a small part of HTML that a page can show as its own (rows W01,
 * W15). What is outside it is refused when it is written, so that what is shown is what was written.
 *
 * `readMarkup` takes the text apart into elements and texts, and whoever shows it makes markup of these anew: nothing of
 * the text itself ever reaches a page.
 *
 * Never: an element, attribute or address that can run code, load anything, or look like a part of the page.
 */
import type { AgreementRevision } from '../flow/agreement.ts'

/** How long a text may be, in UTF-16 code units. */
export const maximumTextLength = 65_536

const inline = ['a', 'b', 'br', 'em', 'i', 'small', 'span', 'strong', 'sub', 'sup', 'u'] as const
const blocks = ['blockquote', 'div', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'p'] as const
const lists = ['dd', 'dl', 'dt', 'li', 'ol', 'ul'] as const
const tables = ['table', 'tbody', 'td', 'th', 'thead', 'tr'] as const

/** The elements a text may have. */
export const markupElements = [...inline, ...blocks, ...lists, ...tables] as const

/** The name of an element a text may have. */
export type MarkupElement = (typeof markupElements)[number]

/** A piece of a text: characters, or an element. `href` is there on `a` alone: an https or mailto address. */
export type MarkupNode =
  | string
  | { readonly element: MarkupElement; readonly href?: string; readonly children: readonly MarkupNode[] }

/** A text that was taken apart, or what is wrong with it. */
export type Markup = { readonly nodes: readonly MarkupNode[] } | { readonly problem: string }

/** Elements without an end. */
const voidElements: ReadonlySet<MarkupElement> = new Set(['br', 'hr'])

/** Deeper than any text is, and nothing a browser labours at. */
const maximumDepth = 20

/** The named character references a text may have; whatever else is written as the character itself. */
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  middot: '·',
  sect: '§',
  para: '¶',
  euro: '€',
  pound: '£',
  cent: '¢',
  yen: '¥',
  deg: '°',
  laquo: '«',
  raquo: '»',
}

/** A start or end tag, and nothing that browsers mend: quoted attributes, no white space where none belongs. */
const tag = /<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z-]+="[^"<>]*")*)\s*(\/?)>/y
const attribute = /([A-Za-z-]+)="([^"]*)"/g
const address = /^(?:https:\/\/[^\s\\@/?#]+(?:[/?#][^\s\\]*)?|mailto:[^\s\\]+)$/i

/**
 * What is wrong with the text of a revision.
 * @returns undefined when nothing is
 */
export function agreementTextProblem(contentType: AgreementRevision['contentType'], text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- exactly the characters that no text holds
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed()) {
    return 'must not hold control characters'
  }
  if (contentType === 'text/plain') return undefined
  const markup = readMarkup(text)
  return 'problem' in markup ? markup.problem : undefined
}

/** Takes an HTML text apart. */
export function readMarkup(text: string): Markup {
  const root: MarkupNode[] = []
  const open: { readonly element: MarkupElement; readonly children: MarkupNode[] }[] = []
  const inside = () => open.at(-1)?.children ?? root
  let at = 0
  while (at < text.length) {
    const less = text.indexOf('<', at)
    const end = less < 0 ? text.length : less
    if (end > at) {
      const characters = decoded(text.slice(at, end))
      if (characters === undefined) return { problem: 'has a character reference that is not known' }
      inside().push(characters)
    }
    if (less < 0) break
    tag.lastIndex = less
    const found = tag.exec(text)
    if (!found) return { problem: 'has a < that begins no tag: write &lt;, and no comments' }
    at = tag.lastIndex
    const [, slash, name = '', attributes = '', closed] = found
    const element = markupElements.find((known) => known === name.toLowerCase())
    if (!element) return { problem: `has an element other than ${markupElements.join(', ')}` }
    if (slash) {
      if (attributes || closed || open.pop()?.element !== element)
        return { problem: `has a </${element}> out of place` }
      continue
    }
    const read = readAttributes(element, attributes)
    if ('problem' in read) return read
    const children: MarkupNode[] = []
    inside().push({ element, ...read, children })
    if (voidElements.has(element)) continue
    if (closed) return { problem: `has a <${element}/>, which browsers read as <${element}>` }
    if (element === 'a' && open.some((outer) => outer.element === 'a')) return { problem: 'has a link inside a link' }
    if (open.push({ element, children }) > maximumDepth) return { problem: `is nested deeper than ${maximumDepth}` }
  }
  const unclosed = open.at(-1)
  return unclosed ? { problem: `has a <${unclosed.element}> without its end` } : { nodes: root }
}

function readAttributes(
  element: MarkupElement,
  attributes: string,
): { readonly href?: string } | { readonly problem: string } {
  const found = [...attributes.matchAll(attribute)]
  const [first] = found
  if (!first) return {}
  if (element !== 'a' || found.length > 1 || first[1]?.toLowerCase() !== 'href') {
    return { problem: 'has an attribute other than one href of an a' }
  }
  const href = decoded(first[2] ?? '')
  return href !== undefined && address.test(href)
    ? { href }
    : { problem: 'has a link to something other than https or mailto' }
}

/** Character references as what they stand for; an & that begins none is itself. Undefined: one is not known. */
function decoded(text: string): string | undefined {
  let isKnown = true
  const characters = text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]*));/g,
    (_, ...groups) => {
      const [decimal, hexadecimal, name] = groups as (string | undefined)[]
      const character = name === undefined ? numbered(decimal, hexadecimal) : entityNamed(name)
      isKnown &&= character !== undefined
      return character ?? ''
    },
  )
  return isKnown ? characters : undefined
}

function entityNamed(name: string): string | undefined {
  return Object.hasOwn(entities, name) ? entities[name] : undefined
}

/** The character of a number, if it is one that a text may hold. */
function numbered(decimal: string | undefined, hexadecimal: string | undefined): string | undefined {
  const point = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal)
  const isSurrogate = point >= 0xd800 && point <= 0xdfff
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || isSurrogate || point > 0x10ffff) return undefined
  return String.fromCodePoint(point)
}
