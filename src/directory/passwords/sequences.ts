/**
 * Runs of neighbouring characters, for the sequence rules of a password policy: `abcd` in the alphabet, `4321` among
 * the digits, `qwer` on the keyboard. Upper and lower case count as one letter, and a run counts in both directions.
 */

const alphabet = ['abcdefghijklmnopqrstuvwxyz'] as const
/** With a second 0, since the digits of a keyboard end with it. */
const digits = ['01234567890'] as const
const keyboard = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'] as const
const shiftedNumberRow = ['!@#$%^&*()'] as const

/** The rows of each sequence rule, by the rule's name in the policy. */
export const sequenceRows = {
  alphabetSequenceRule: alphabet,
  numberSequenceRule: digits,
  qwertySequenceRule: keyboard,
  shiftedNumberRowSequenceRule: shiftedNumberRow,
} as const

/** Length of the longest part of `characters` that stands in one of the rows, forwards or backwards. */
export function longestSequence(characters: readonly string[], rows: readonly string[]): number {
  let longest = 0
  for (const row of rows) {
    for (const line of [row, reversed(row)]) {
      let run = ''
      for (const character of characters) {
        const letter = character.toLowerCase()
        run = line.includes(run + letter) ? run + letter : line.includes(letter) ? letter : ''
        longest = Math.max(longest, run.length)
      }
    }
  }
  return longest
}

function reversed(row: string): string {
  return row.split('').toReversed().join('')
}
