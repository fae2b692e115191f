/**
 * The languages of the pages: one flat catalogue each, chosen by `ui_locales` and then by `Accept-Language` (OpenID
 * Connect Core section 3.1.2.1; RFC 4647 section 3.4, lookup). English where nothing fits.
 *
 * Never: text taken from the request itself.
 */
import { german } from './de.ts'
import { english } from './en.ts'

/** The name of a text. */
export type TextName = keyof typeof english

/** Every text of the pages in one language. Words in braces are filled in. */
export type Texts = Readonly<Record<TextName, string>>

/** A language the pages speak. */
export interface Language {
  /** BCP 47, the `lang` of the page. */
  readonly tag: string
  readonly direction: 'ltr' | 'rtl'
  readonly texts: Texts
}

/** The language of last resort. */
export const defaultLanguage: Language = { tag: 'en', direction: 'ltr', texts: english }

/** Every language there is; a new one is a catalogue and a line here. */
export const languages: readonly Language[] = [defaultLanguage, { tag: 'de', direction: 'ltr', texts: german }]

/** What is read of one list, however long it is. */
const maximumRanges = 20

/**
 * Chooses the language of a page.
 * @param uiLocales `ui_locales` of the authorization request: tags by preference, separated by spaces
 * @param acceptLanguage the header of the browser
 */
export function chooseLanguage(uiLocales: string | null | undefined, acceptLanguage: string | undefined): Language {
  const wanted = [...(uiLocales ?? '').split(' ', maximumRanges), ...byQuality(acceptLanguage ?? '')]
  for (const range of wanted) {
    const found = lookUp(range.toLowerCase())
    if (found) return found
  }
  return defaultLanguage
}

/** The ranges of an Accept-Language header, best first; RFC 9110 section 12.5.4. */
function byQuality(header: string): readonly string[] {
  return header
    .split(',', maximumRanges)
    .map((part) => {
      const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim())
      const quality = parameters.find((parameter) => parameter.startsWith('q='))
      return { range, quality: quality === undefined ? 1 : Number(quality.slice(2)) }
    })
    .filter(({ quality }) => quality > 0 && quality <= 1)
    .toSorted((a, b) => b.quality - a.quality)
    .map(({ range }) => range)
}

/** `de-AT-1996` finds `de`: subtags are cut off from the end until a language fits. */
function lookUp(range: string): Language | undefined {
  const subtags = range.split('-')
  for (let length = subtags.length; length > 0; length--) {
    const tag = subtags.slice(0, length).join('-')
    const found = languages.find((language) => language.tag.toLowerCase() === tag)
    if (found) return found
  }
  return undefined
}

/**
 * A text with its gaps filled in.
 * @param values what stands for the words in braces; escaping is up to the template that takes the text
 */
export function say(
  { texts }: Language,
  name: TextName,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return texts[name].replace(/\{(\w+)\}/g, (gap, key: string) =>
    Object.hasOwn(values, key) ? String(values[key]) : gap,
  )
}
