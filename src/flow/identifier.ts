/** Identifiers: what people type to name themselves. A flow keeps one whether or not anybody has it (decision D7). */

/** Length of the longest identifier that may be typed. */
export const longestIdentifier = 256

/** Whether two spellings name the same: letter case, width, composition and white space around do not matter. */
export function isSameIdentifier(one: string, other: string): boolean {
  const key = (text: string) => text.normalize('NFKC').toLowerCase().trim()
  return key(one) === key(other)
}
