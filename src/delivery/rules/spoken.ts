/**
 * PURE: contents for voice, in the few marks PingOne knows: `<pause1sec>`, `<sayCharValue>…</sayCharValue>` (character by
 * character) and `<repeatMessage val=2>…</repeatMessage>`. Anything else is spoken as it stands.
 */

/** A piece of what is spoken. */
export type Spoken =
  | { readonly kind: 'say'; readonly text: string }
  /** Character by character. */
  | { readonly kind: 'spell'; readonly text: string }
  | { readonly kind: 'pause' }

const mostRepetitions = 3

/**
 * Reads a content. Marks are read before variables are filled in, so that no value can be one.
 * @param fill fills the variables of a text in
 */
export function spokenParts(content: string, fill: (text: string) => string): readonly Spoken[] {
  const whole = content.replaceAll(
    /<repeatMessage val=(\d)>(.*?)<\/repeatMessage>/gs,
    (_, times: string, inner: string) => inner.repeat(Math.min(Number(times), mostRepetitions)),
  )
  const parts: Spoken[] = []
  for (const piece of whole.split(/(<pause1sec>|<sayCharValue>[^<]*<\/sayCharValue>)/)) {
    if (piece === '<pause1sec>') {
      parts.push({ kind: 'pause' })
      continue
    }
    const characters = /^<sayCharValue>([^<]*)<\/sayCharValue>$/.exec(piece)?.[1]
    const text = fill(characters ?? piece)
    if (text.trim() !== '') parts.push({ kind: characters === undefined ? 'say' : 'spell', text })
  }
  return parts
}

/**
 * What is spoken, as one text.
 * @param around what stands around each spelled character; default: a comma between two of them
 */
export function spokenText(parts: readonly Spoken[], around = { before: '', after: '' }): string {
  const { before, after } = around
  return parts
    .map((part) => {
      if (part.kind === 'pause') return ' '
      if (part.kind === 'say') return part.text
      if (before === '' && after === '') return Array.from(part.text).join(', ')
      return Array.from(part.text)
        .map((character) => `${before}${character}${after}`)
        .join('')
    })
    .join('')
}
