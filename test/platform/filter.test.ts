import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../src/errors/problem.ts'
import { compileFilter, type FilterAttribute } from '../../src/platform/filter.ts'
import { anyCharacter } from '../harness/any-character.ts'

const attributes: Readonly<Record<string, FilterAttribute>> = {
  id: { column: 'id', operators: ['eq'] },
  username: { column: 'username_key', operators: ['eq', 'sw'], normalize: (value) => value.toLowerCase() },
  'name.given': { column: 'given_key', operators: ['eq', 'sw'] },
  enabled: { column: 'enabled', operators: ['eq'], type: 'boolean' },
}
const compile = (text: string, firstParameter = 1) => compileFilter(text, { attributes, firstParameter })

suite('SCIM filters', () => {
  test('compile to a condition with bound parameters only', () => {
    assert.deepEqual(compile('username eq "Ann"'), { text: 'username_key = $1', values: ['ann'] })
    assert.deepEqual(compile('username sw "an"', 3), {
      text: '(username_key >= $3 AND username_key < $4)',
      values: ['an', 'ao'],
    })
    assert.deepEqual(compile('id eq "1" or id eq "2" and id eq "3"'), {
      text: '(id = $1 OR (id = $2 AND id = $3))',
      values: ['1', '2', '3'],
    })
  })

  test('are read as Terraform writes them: upper case, doubled parentheses, booleans in quotes', () => {
    assert.deepEqual(compile('((username eq "joe"))').text, 'username_key = $1')
    assert.deepEqual(compile('((username eq "A") OR (username EQ "B")) AND ((enabled eq "true"))'), {
      text: '((username_key = $1 OR username_key = $2) AND enabled = $3)',
      values: ['a', 'b', 1],
    })
    assert.deepEqual(compile('enabled eq false').values, [0])
  })

  test('take the part of an attribute in brackets, as Terraform writes it', () => {
    assert.deepEqual(compile('(name[given eq "Ann"])'), compile('name.given eq "Ann"'))
    assert.equal(compile('name[given sw "A"] or enabled eq true').values.length, 3)
    for (const text of [
      'name[given eq "Ann"',
      'name[given eq "Ann")',
      'name[]',
      'name[[given eq "Ann"]]',
      'name[(given eq "Ann")]',
      'name[given eq "Ann" and given eq "Bob"]',
      'name]given eq "Ann"',
      '[given eq "Ann"]',
      'given[name eq "Ann"]',
    ]) {
      assert.throws(() => compile(text), Problem, text)
    }
  })

  test('let an attribute mean a condition of its own, whose parameters stand where they are written', () => {
    const group: FilterAttribute = {
      operators: ['eq'],
      condition: (value) => (at) => ({ text: `u.id IN ($${at}, $${at + 1})`, values: [value, 'z'] }),
    }
    const options = { attributes: { ...attributes, 'groups.id': group }, firstParameter: 2 }
    assert.deepEqual(compileFilter('id eq "1" and groups[id eq "g"] and id eq "2"', options), {
      text: '(id = $2 AND u.id IN ($3, $4) AND id = $5)',
      values: ['1', 'g', 'z', '2'],
    })
  })

  test('keep quotes, backslashes and SQL inside the value', () => {
    const value = `x' OR 1=1 --"\\ %_) $1`
    assert.deepEqual(compile(`id eq ${JSON.stringify(value)}`), { text: 'id = $1', values: [value] })
  })

  test('find prefixes up to the end of the character range', () => {
    assert.deepEqual(compile(`name.given sw ""`), { text: 'given_key >= $1', values: [''] })
    assert.deepEqual(compile(`name.given sw "a\u{10ffff}"`).values, ['a\u{10ffff}', 'b'])
    assert.deepEqual(compile(`name.given sw "\ud7ff"`).values, ['\ud7ff', '\ue000'])
    assert.deepEqual(compile(`name.given sw "\u{10ffff}"`).values, ['\u{10ffff}'])
  })

  test('N06: are refused with the supported attributes and operators', () => {
    for (const text of [
      '',
      'username',
      'username eq',
      'username eq x',
      'username eq "x',
      'username eq "x" "y"',
      'username eq "x" and',
      'username eq "x" xor id eq "y"',
      'username co "x"',
      'id sw "x"',
      'enabled eq "1"',
      'enabled sw "true"',
      'password eq "x"',
      'constructor eq "x"',
      '__proto__ eq "x"',
      'memberOfGroups[id eq "x"]',
      '(username eq "x"',
      'username eq "x")',
      '() ',
      'not (username eq "x")',
      'username eq "\\u0000"',
      'username eq "\\ud800"',
      'username eq "a\nb"',
      'username eq true',
      "username eq 'x'",
    ]) {
      assert.throws(
        () => compile(text),
        (error) => {
          assert(error instanceof Problem, text)
          assert.equal(error.key, 'INVALID_REQUEST')
          const [detail] = error.details
          assert.equal(detail?.code, 'INVALID_FILTER')
          assert.deepEqual(detail?.innerError?.['supportedAttributes'], Object.keys(attributes))
          return true
        },
        text,
      )
    }
    const refusal = (() => {
      try {
        return compile('id co "x"')
      } catch (error) {
        return error as Problem
      }
    })() as Problem
    assert.deepEqual(refusal.details[0]?.innerError?.['supportedOperators'], ['eq'])
  })

  test('have bounds: 1 KB, 32 terms, 10 levels', () => {
    const terms = (count: number) => Array.from({ length: count }, () => 'id eq "1"').join(' or ')
    const nested = (depth: number) => `${'('.repeat(depth)}id eq "1"${')'.repeat(depth)}`
    assert.equal(compile(terms(32)).values.length, 32)
    assert.throws(() => compile(terms(33)), Problem)
    assert.equal(compile(nested(10)).text, 'id = $1')
    assert.throws(() => compile(nested(11)), Problem)
    assert.throws(() => compile(`id eq "${'x'.repeat(1024)}"`), Problem)
    assert.throws(() => compile(`id eq "${'é'.repeat(600)}"`), Problem)
  })

  test('never throw anything but a Problem, and bind exactly the parameters they use', () => {
    const words = ['eq', 'SW', 'and', 'OR', 'not', 'id', 'username', 'enabled', 'name.given', 'true', 'x', 'id eq "1"']
    const signs = ['(', ')', ' ', '\t', '"', '\\', '"a"', '"\\u0041"', '[', ']', '.', "'", ';', '$1']
    const characters = ['\u0000', '\ud800', '\u{10ffff}']
    const piece = fc.constantFrom(...words, ...signs, ...characters)
    const text = fc.oneof(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.string({ unit: anyCharacter }),
    )
    let compiled = 0
    fc.assert(
      fc.property(text, (filter) => {
        try {
          const { text: condition, values } = compile(filter, 5)
          compiled += 1
          const used = [...condition.matchAll(/\$(\d+)/g)].map(([, digits]) => Number(digits))
          assert.deepEqual(
            used,
            Array.from(values, (_, at) => at + 5),
          )
          assert.match(condition, /^[a-z_ ()=<>$0-9ANDOR]+$/)
        } catch (error) {
          assert(error instanceof Problem)
        }
      }),
      { numRuns: 20_000 },
    )
    assert(compiled > 0)
  })

  test('N20, O17: adversarial text costs no time', () => {
    for (const text of [
      '('.repeat(100_000),
      `id eq "${'\\'.repeat(100_001)}"`,
      `"${'\\"'.repeat(500)}`,
      'id '.repeat(341),
      `${'a'.repeat(1000)} eq "x"`,
      `${' '.repeat(1000)}x`,
      '(id eq "1" and '.repeat(60),
    ]) {
      const started = performance.now()
      assert.throws(() => compile(text), Problem)
      assert(performance.now() - started < 50)
    }
  })
})
