/**
 * The password policy in words, on the pages where a password is chosen (authentication-api 7.7). Names are those of the
 * policy's members, which are also the names in `unsatisfiedRequirements`, so that what was missed can be marked.
 */
import { type Html, html } from './html.ts'
import { type Language, say, type TextName } from './texts/language.ts'

/** What a page tells of a password policy. Absent members are requirements not made. */
export interface PasswordRequirements {
  readonly length?: { readonly min: number } | undefined
  readonly minCharacters?: Readonly<Record<string, number | undefined>> | undefined
  readonly maxRepeatedCharacters?: number | undefined
  readonly minUniqueCharacters?: number | undefined
  readonly alphabetSequenceRule?: SequenceRule | undefined
  readonly numberSequenceRule?: SequenceRule | undefined
  readonly qwertySequenceRule?: SequenceRule | undefined
  readonly shiftedNumberRowSequenceRule?: SequenceRule | undefined
  readonly minComplexity?: number | undefined
  readonly excludesCommonlyUsed?: boolean | undefined
  readonly excludesProfileData?: boolean | undefined
  readonly notSimilarToCurrent?: boolean | undefined
  readonly history?: { readonly count: number } | undefined
}

/** What of a policy holds for a first password: there is none before it that it could repeat. */
export function firstPasswordPolicy(policy: PasswordRequirements | undefined): PasswordRequirements | undefined {
  return policy && { ...policy, history: undefined, notSimilarToCurrent: undefined }
}

interface SequenceRule {
  readonly maxLength: number
}

/** The classes of `minCharacters` by the first character of their key. */
const classNames: Readonly<Record<string, TextName>> = {
  A: 'requirements.minCharacters.upper',
  a: 'requirements.minCharacters.lower',
  0: 'requirements.minCharacters.digit',
  '~': 'requirements.minCharacters.special',
}

/**
 * The list of requirements.
 * @param missed names of requirements that the password sent before did not meet
 */
export function requirementsList(
  policy: PasswordRequirements,
  missed: readonly string[],
  language: Language,
): Html | undefined {
  const sentences = Object.entries(inWords(policy, language)).filter(([, sentence]) => sentence !== undefined)
  if (sentences.length === 0) return undefined
  const items = sentences.map(([name, sentence]) =>
    missed.includes(name)
      ? html`<li class="missed"><span class="heard">${say(language, 'requirements.missed')}</span>${sentence}</li>`
      : html`<li>${sentence}</li>`,
  )
  return html`<div class="requirements" id="requirements"><p>${say(language, 'requirements.heading')}</p><ul>${items}</ul></div>`
}

function inWords(
  policy: PasswordRequirements,
  language: Language,
): Readonly<Record<keyof PasswordRequirements, string | undefined>> {
  const count = (name: TextName, number: number | undefined) =>
    number === undefined ? undefined : say(language, name, { count: number })
  const plain = (name: TextName, holds: boolean | undefined) => (holds ? say(language, name) : undefined)
  return {
    length: policy.length && say(language, 'requirements.length', { min: policy.length.min }),
    minCharacters: policy.minCharacters && classesInWords(policy.minCharacters, language),
    maxRepeatedCharacters: count('requirements.maxRepeatedCharacters', policy.maxRepeatedCharacters),
    minUniqueCharacters: count('requirements.minUniqueCharacters', policy.minUniqueCharacters),
    alphabetSequenceRule: count('requirements.alphabetSequenceRule', policy.alphabetSequenceRule?.maxLength),
    numberSequenceRule: count('requirements.numberSequenceRule', policy.numberSequenceRule?.maxLength),
    qwertySequenceRule: count('requirements.qwertySequenceRule', policy.qwertySequenceRule?.maxLength),
    shiftedNumberRowSequenceRule: count(
      'requirements.shiftedNumberRowSequenceRule',
      policy.shiftedNumberRowSequenceRule?.maxLength,
    ),
    minComplexity: plain('requirements.minComplexity', policy.minComplexity !== undefined),
    excludesCommonlyUsed: plain('requirements.excludesCommonlyUsed', policy.excludesCommonlyUsed),
    excludesProfileData: plain('requirements.excludesProfileData', policy.excludesProfileData),
    notSimilarToCurrent: plain('requirements.notSimilarToCurrent', policy.notSimilarToCurrent),
    history: count('requirements.history', policy.history?.count),
  }
}

function classesInWords(
  minimums: Readonly<Record<string, number | undefined>>,
  language: Language,
): string | undefined {
  const parts = Object.entries(minimums).flatMap(([characters, minimum]) => {
    const name = classNames[characters[0] ?? '']
    return name && minimum ? [say(language, name, { count: minimum, characters })] : []
  })
  if (parts.length === 0) return undefined
  const classes = new Intl.ListFormat(language.tag, { type: 'conjunction' }).format(parts)
  return say(language, 'requirements.minCharacters', { classes })
}
