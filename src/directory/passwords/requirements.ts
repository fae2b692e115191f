/**
 * What a new password must satisfy: one entry per requirement of a policy, named by the policy's member, which is also
 * the name in `innerError.unsatisfiedRequirements` (platform-api 3.6, authentication-api 7.4). Lengths count characters
 * (code points), not bytes. Pure: whatever needs hashes or lists is a fact that the caller brings.
 */
import { complexityDays } from './complexity.ts'
import type { NormalizedPassword } from './normalize.ts'
import { characterClasses, type PasswordPolicy } from './policy.ts'
import { isProfileData } from './profile-data.ts'
import { longestSequence, sequenceRows } from './sequences.ts'
import { isSimilar } from './similarity.ts'

const DAY = 86_400_000

/** The requirements in the order in which they are reported: clients show the first. */
export const passwordRequirements = [
  'length',
  'minCharacters',
  'maxRepeatedCharacters',
  'minUniqueCharacters',
  'alphabetSequenceRule',
  'numberSequenceRule',
  'qwertySequenceRule',
  'shiftedNumberRowSequenceRule',
  'minComplexity',
  'excludesCommonlyUsed',
  'excludesProfileData',
  'notSimilarToCurrent',
  'history',
  'minAgeDays',
] as const

/** The name of a requirement. */
export type PasswordRequirement = (typeof passwordRequirements)[number]

/** What is known about a new password. */
export interface PasswordFacts {
  readonly newPassword: NormalizedPassword
  /** The user's attributes as plain data. */
  readonly profile: unknown
  /** The present password in clear: only where the user has just typed it beside the new one. */
  readonly currentPassword?: NormalizedPassword
  /** Whether the pool found it among the commonly used passwords. */
  readonly commonlyUsed: boolean
  /** Whether it matches one of `hashesToAvoid`. */
  readonly historyMatches: boolean
  /** When the present password was set, in epoch milliseconds. Absent where its age does not matter: forced change, recovery. */
  readonly lastChangedAt?: number
  /** Epoch milliseconds. */
  readonly now: number
}

interface Requirement {
  /** Whether the policy makes this requirement and the password misses it. */
  readonly isMissed: (policy: PasswordPolicy, facts: PasswordFacts, characters: readonly string[]) => boolean
  /** The requirement as a sentence for people. */
  readonly text: (policy: PasswordPolicy) => string
}

const requirements: Readonly<Record<PasswordRequirement, Requirement>> = {
  length: {
    isMissed: ({ length }, _, { length: count }) => length !== undefined && (count < length.min || count > length.max),
    text: ({ length }) => `Use ${length?.min ?? 1} to ${length?.max ?? 255} characters.`,
  },
  minCharacters: {
    isMissed: ({ minCharacters }, _, characters) =>
      characterClasses.some(
        (members) =>
          characters.filter((character) => members.includes(character)).length < (minCharacters?.[members] ?? 0),
      ),
    text: ({ minCharacters }) => {
      const parts = characterClasses.flatMap((members) => {
        const count = minCharacters?.[members] ?? 0
        return count > 0 ? [`${count} ${classNames[members]}`] : []
      })
      return `Use at least ${parts.join(', ')}.`
    },
  },
  maxRepeatedCharacters: {
    isMissed: ({ maxRepeatedCharacters = Infinity }, _, characters) =>
      longestRepetition(characters) > maxRepeatedCharacters,
    text: ({ maxRepeatedCharacters }) => `Do not repeat a character more than ${maxRepeatedCharacters} times in a row.`,
  },
  minUniqueCharacters: {
    isMissed: ({ minUniqueCharacters = 0 }, _, characters) => new Set(characters).size < minUniqueCharacters,
    text: ({ minUniqueCharacters }) => `Use at least ${minUniqueCharacters} different characters.`,
  },
  alphabetSequenceRule: sequenceRequirement('alphabetSequenceRule', 'letters in the order of the alphabet'),
  numberSequenceRule: sequenceRequirement('numberSequenceRule', 'digits in order'),
  qwertySequenceRule: sequenceRequirement('qwertySequenceRule', 'letters that are neighbours on the keyboard'),
  shiftedNumberRowSequenceRule: sequenceRequirement(
    'shiftedNumberRowSequenceRule',
    'symbols that are neighbours on the number row',
  ),
  minComplexity: {
    isMissed: ({ minComplexity = 0 }, _, characters) => complexityDays(characters) < minComplexity,
    text: () => 'Make it longer, or mix more kinds of characters.',
  },
  excludesCommonlyUsed: {
    isMissed: ({ excludesCommonlyUsed }, { commonlyUsed }) => excludesCommonlyUsed && commonlyUsed,
    text: () => 'Do not use a commonly used password.',
  },
  excludesProfileData: {
    isMissed: ({ excludesProfileData }, { newPassword, profile }) =>
      excludesProfileData && isProfileData(newPassword, profile),
    text: () => 'Do not use your name, address or other profile data.',
  },
  notSimilarToCurrent: {
    isMissed: ({ notSimilarToCurrent }, { currentPassword }, characters) =>
      notSimilarToCurrent && currentPassword !== undefined && isSimilar(Array.from(currentPassword), characters),
    text: () => 'Do not use one that is similar to the current password.',
  },
  history: {
    isMissed: (_, { historyMatches, newPassword, currentPassword }) =>
      historyMatches || newPassword === currentPassword,
    // The one text that PingOne documents (authentication-api 7.1).
    text: ({ history }) =>
      history
        ? 'The provided new password cannot be the same as the current password or any password in the password history.'
        : 'Do not use the current password again.',
  },
  minAgeDays: {
    isMissed: ({ minAgeDays = 0 }, { lastChangedAt, now }) =>
      lastChangedAt !== undefined && now < lastChangedAt + minAgeDays * DAY,
    text: ({ minAgeDays }) => `Wait ${minAgeDays} day${minAgeDays === 1 ? '' : 's'} between two changes.`,
  },
}

const classNames = {
  [characterClasses[0]]: 'upper-case',
  [characterClasses[1]]: 'lower-case',
  [characterClasses[2]]: 'numeric',
  [characterClasses[3]]: 'special',
} as const

/** Names the requirements of `policy` that the new password misses, in order; empty when it is acceptable. */
export function unsatisfiedRequirements(policy: PasswordPolicy, facts: PasswordFacts): readonly PasswordRequirement[] {
  const characters = Array.from(facts.newPassword)
  return passwordRequirements.filter((name) => requirements[name].isMissed(policy, facts, characters))
}

/** Says a requirement of `policy` as a sentence in English. */
export function requirementText(policy: PasswordPolicy, requirement: PasswordRequirement): string {
  return requirements[requirement].text(policy)
}

function sequenceRequirement(rule: keyof typeof sequenceRows, what: string): Requirement {
  return {
    isMissed: (policy, _, characters) =>
      longestSequence(characters, sequenceRows[rule]) > (policy[rule]?.maxLength ?? Infinity),
    text: (policy) => `Do not use more than ${policy[rule]?.maxLength} ${what}.`,
  }
}

function longestRepetition(characters: readonly string[]): number {
  let longest = 0
  let run = 0
  for (const [at, character] of characters.entries()) {
    run = character === characters[at - 1] ? run + 1 : 1
    longest = Math.max(longest, run)
  }
  return longest
}
