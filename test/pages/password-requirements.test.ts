import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { bootstrapPasswordPolicies, passwordPolicySchema } from '../../src/directory/passwords/policy.ts'
import { passwordRequirements } from '../../src/directory/passwords/requirements.ts'
import { requirementsList } from '../../src/pages/password-requirements.ts'
import { defaultLanguage, languages } from '../../src/pages/texts/language.ts'

const everything = passwordPolicySchema.parse({
  ...bootstrapPasswordPolicies[0],
  minComplexity: 7,
  alphabetSequenceRule: { maxLength: 3 },
  numberSequenceRule: { maxLength: 3 },
  qwertySequenceRule: { maxLength: 3 },
  shiftedNumberRowSequenceRule: { maxLength: 3 },
})

suite('password requirements in words', () => {
  test('every requirement of a policy is told, and every missed one is marked', () => {
    for (const language of languages) {
      // How often a password may be changed is nothing a new one can satisfy.
      const told = passwordRequirements.filter((name) => name !== 'minAgeDays')
      const items = (missed: readonly string[]) =>
        requirementsList(everything, missed, language)
          ?.toString()
          .match(/<li( class="missed")?>/g) ?? []
      assert.equal(items([]).length, told.length)
      for (const name of told) {
        assert.equal(items([name]).filter((item) => item.includes('missed')).length, 1, name)
      }
    }
  })

  test('what the policy does not require is not told', () => {
    const list = requirementsList({ length: { min: 12 }, excludesCommonlyUsed: false }, [], defaultLanguage)?.toString()
    assert.equal(list?.match(/<li/g)?.length, 1)
    assert.match(list ?? '', /at least 12 characters/)
    assert.equal(requirementsList({ minCharacters: { '0123456789': 0 } }, [], defaultLanguage), undefined)
  })

  test('the classes of characters are counted and named', () => {
    const list = requirementsList(everything, [], defaultLanguage)?.toString() ?? ''
    assert.match(list, /1 upper-case, 1 lower-case, 1 numeric, and 1 special \(~!@#\$%\^&amp;/)
  })
})
