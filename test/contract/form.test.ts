/** Forms and query strings at the door (rows O05, O07, O18, O19; RFC 6749 section 3.1). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parseForm, parseFormBody } from '../../src/contract/form.ts'
import { Problem } from '../../src/errors/problem.ts'
import { anyGrapheme } from '../harness/any-character.ts'

function refused(read: () => unknown, what: string): void {
  assert.throws(read, (error) => error instanceof Problem && error.key === 'invalid_request', what)
}

const name = fc
  .stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/)
  .filter((one) => !['__proto__', 'constructor', 'prototype'].includes(one))
const value = fc
  .string({ unit: anyGrapheme, maxLength: 30 })
  .filter((text) => text.isWellFormed() && !text.includes('\u0000'))

suite('what passes', () => {
  test('is what URLSearchParams wrote, and what it reads', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one, maxLength: 20 }), (pairs) => {
        const text = new URLSearchParams(pairs).toString()
        const form = parseForm(text)
        const { values, repeated, further, isFull } = form
        assert.deepEqual({ ...values }, Object.fromEntries(new URLSearchParams(text)))
        assert.deepEqual(repeated, [])
        assert.equal(further, undefined)
        assert.equal(
          isFull,
          pairs.every(([, one]) => one !== ''),
        )
        assert.deepEqual(parseFormBody(Buffer.from(text)), form)
      }),
      { numRuns: 500 },
    )
  })

  test('of any text at all: strings by plain names, or a refusal', () => {
    const fragments = fc.array(
      fc.constantFrom(
        'a',
        'b',
        '=',
        '&',
        '+',
        '%',
        '%61',
        '%C3%A9',
        '%00',
        '%zz',
        '[',
        ']',
        '__proto__',
        ';',
        '#',
        '?',
        'é',
      ),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 30 }),
          fragments.map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            const { values, repeated } = parseForm(text)
            for (const [key, one] of Object.entries(values)) {
              assert.match(key, /^[A-Za-z0-9_.:-]{1,100}$/)
              assert.equal(typeof one, 'string')
              assert.equal(one, new URLSearchParams(text).get(key), 'the first of several')
            }
            for (const key of repeated) assert.ok(new URLSearchParams(text).getAll(key).length > 1)
          } catch (error) {
            assert.ok(error instanceof Problem)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('has no prototype, so that nothing is there which was not sent', () => {
    const { values } = parseForm('toString=1&hasOwnProperty=2')
    assert.equal(Object.getPrototypeOf(values), null)
    assert.deepEqual([values['toString'], values['hasOwnProperty'], values['valueOf']], ['1', '2', undefined])
  })

  test('plus is a space, a pair without = is empty, an empty pair is none, names of other forms are left aside', () => {
    assert.deepEqual({ ...parseForm('a=b+c%2B&b&&c=&=x&d d=1&ü=1').values }, { a: 'b c+', b: '', c: '' })
    assert.deepEqual({ ...parseForm('').values }, {})
  })

  test('a name that comes twice is told, in any encoding, even without a value; the first value stays', () => {
    const { values, repeated } = parseForm('a=1&b=2&%61=3&b&c=4')
    assert.deepEqual([{ ...values }, repeated], [{ a: '1', b: '2', c: '4' }, ['a', 'b']])
    assert.deepEqual(parseForm('a&a').repeated, ['a'])
  })
})

suite('what does not', () => {
  const attacks: Readonly<Record<string, string>> = {
    'a percent sign alone': 'a=%',
    'no hexadecimal digits': 'a=%zz',
    'half an escape': 'a=%4',
    'bytes that are no UTF-8': 'a=%ff',
    'overlong UTF-8': 'a=%c0%af',
    'a surrogate as UTF-8': 'a=%ed%a0%80',
    'U+0000': 'a=%00',
    'U+0000 in a name': 'a%00=1',
    'U+0000, not escaped': 'a=\u0000',
    'a lone surrogate': 'a=\ud800',
    'a list': 'a[]=1',
    'a list, escaped': 'a%5B%5D=1',
    'a map': 'a[b]=1',
    __proto__: '__proto__=1',
    '__proto__, escaped': '__pr%6fto__=1',
    constructor: 'constructor=1',
    prototype: 'prototype=1',
    'two hundred and one parameters': Array.from({ length: 201 }, (_, at) => `a${at}=1`).join('&'),
    'ampersands without end': '&'.repeat(60_000),
  }
  for (const [what, text] of Object.entries(attacks)) test(what, () => refused(() => parseForm(text), what))

  test('a body whose bytes are no UTF-8', () => {
    for (const bytes of [
      [0x61, 0x3d, 0xff],
      [0x61, 0x3d, 0xc0, 0xaf],
      [0x61, 0x3d, 0xed, 0xa0, 0x80],
      [0xff, 0xfe],
    ]) {
      refused(() => parseFormBody(Buffer.from(bytes)), String(bytes))
    }
  })

  test('nothing is read faster than it grows', () => {
    for (const shape of [
      (n: number) => `a=${'+'.repeat(n)}`,
      (n: number) => `a=${'%61'.repeat(n)}`,
      (n: number) => `${'a'.repeat(n)}=1`,
    ]) {
      const took = (n: number) => {
        const text = shape(n)
        return Math.min(
          ...Array.from({ length: 5 }, () => {
            const began = performance.now()
            parseForm(text)
            return performance.now() - began
          }),
        )
      }
      took(1000)
      const [small, large] = [took(20_000), took(200_000)]
      assert.ok(large < 40 * small + 100, `${small} ms, then ${large} ms`)
    }
  })
})
