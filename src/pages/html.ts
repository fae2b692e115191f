/**
 * The `html` tagged template: every interpolated text is escaped, so that nothing a person or a client has chosen can
 * become markup (security catalogue W01, W02). Safe in text and in double-quoted attribute values; a template that puts
 * a value anywhere else throws the first time it is rendered, and so does an address that would run as a script.
 *
 * Never: a way to mark a string as markup. Markup comes from templates in the source and from nothing else.
 */

let make: (markup: string) => Html

/** Markup made by `html`; nothing else can make one. */
export class Html {
  readonly #markup: string

  static {
    make = (markup) => new Html(markup)
  }

  private constructor(markup: string) {
    this.#markup = markup
  }

  /** The markup as text, to be sent. */
  toString(): string {
    return this.#markup
  }
}

/** What a template takes. `false`, `null` and `undefined` render nothing; other markup is taken as it is. */
export type Fragment = string | number | Html | false | null | undefined | readonly Fragment[]

/** Where a value stands: between tags, in a quoted attribute, in an attribute that holds an address, or inside a tag. */
type Place = 'text' | 'attribute' | 'address' | 'tag'

const places = new WeakMap<TemplateStringsArray, readonly Place[]>()

/**
 * Renders markup.
 * @throws Error for a template with a value in an unsafe place, and for an address with a scheme that runs code
 */
export function html(literals: TemplateStringsArray, ...values: readonly Fragment[]): Html {
  let known = places.get(literals)
  if (!known) {
    known = placesOf(literals)
    places.set(literals, known)
  }
  let markup = literals[0] as string
  for (const [index, value] of values.entries()) {
    markup += render(value, known[index] as Place) + (literals[index + 1] as string)
  }
  return make(markup)
}

function render(value: Fragment, place: Place): string {
  if (value === false || value === null || value === undefined) return ''
  if (value instanceof Html) return value.toString()
  if (typeof value === 'string' || typeof value === 'number') {
    if (place === 'tag') throw new Error('html: a text may not stand inside a tag, outside of quotes')
    const text = String(value)
    if (place === 'address') refuseScript(text)
    return escape(text)
  }
  return value.map((part) => render(part, place)).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // HTML cannot hold U+0000, not even as a character reference.
  '\u0000': '\uFFFD',
}

function escape(text: string): string {
  // oxlint-disable-next-line no-control-regex -- U+0000 is one of the characters that must not pass
  return text.toWellFormed().replace(/[&<>"'\u0000]/g, (character) => entities[character] as string)
}

/** Browsers skip leading controls and spaces, and tabs and line ends anywhere, before they read a scheme. */
function refuseScript(address: string): void {
  // oxlint-disable-next-line no-control-regex -- exactly the characters the URL standard strips
  const read = address.replace(/^[\u0000-\u0020]+|[\t\n\r]+/g, '')
  if (/^(javascript|vbscript|data|blob|file|filesystem|about|view-source):/i.test(read)) {
    throw new Error('html: an address with a scheme that is not allowed')
  }
}

function placesOf(literals: TemplateStringsArray): readonly Place[] {
  // A value leaves nothing behind that this reading depends on: it is escaped, or complete markup.
  return literals.slice(0, -1).map((_, index) => placeAfter(literals.slice(0, index + 1).join('')))
}

const unclosedCode = /<(script|style)\b[^>]*>(?![\s\S]*<\/\1)/i
const unquotedValue = /\s[\w-]+=\s*'?$/
const addressValue = /\s(?:(?:href|src|action|formaction)="|content="\d+;url=)$/i

/** @param before the template up to the value, without the values before it */
function placeAfter(before: string): Place {
  if (unclosedCode.test(before)) throw new Error('html: a value may not stand in script or style')
  if (unquotedValue.test(before)) throw new Error('html: attribute values stand in double quotes')
  if (addressValue.test(before)) return 'address'
  let place: Place = 'text'
  for (const character of before) {
    switch (place) {
      case 'text':
        if (character === '<') place = 'tag'
        break
      case 'tag':
        if (character === '>') place = 'text'
        else if (character === '"') place = 'attribute'
        break
      case 'attribute':
        if (character === '"') place = 'tag'
        break
    }
  }
  return place
}
