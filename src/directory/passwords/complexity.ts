/**
 * The complexity that `minComplexity` demands: PingOne counts the days that 10^11 guesses a second take to search all
 * texts of the same length and kinds of characters ("password haystacks"). PingOne's own sign-on page computes the same,
 * so both must agree. It says nothing about guessable words; that is what `excludesCommonlyUsed` is for.
 */

const GUESSES_PER_DAY = 1e11 * 86_400

/** The size of the alphabet as soon as one character is outside ASCII. */
const OTHER_ALPHABET = 256

const kinds: readonly { readonly characters: RegExp; readonly size: number }[] = [
  { characters: /[a-z]/, size: 26 },
  { characters: /[A-Z]/, size: 26 },
  { characters: /[0-9]/, size: 10 },
  { characters: /[ -/:-@[-`{-~]/, size: 33 },
]

/** Days to search every text that is no longer than this one and made of the same kinds of characters. */
export function complexityDays(characters: readonly string[]): number {
  const text = characters.join('')
  const alphabet = /[^ -~]/.test(text)
    ? OTHER_ALPHABET
    : kinds.reduce((sum, kind) => (kind.characters.test(text) ? sum + kind.size : sum), 0)
  let texts = 0
  for (let length = 1; length <= characters.length && Number.isFinite(texts); length++) texts += alphabet ** length
  return texts / GUESSES_PER_DAY
}
