/**
 * JSON at the door (rows O02-O08): whatever passes is what `JSON.parse` reads and what everybody else reads; whatever does
 * not is refused, quickly and without being quoted.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from '../../src/contract/json.ts'
import { Problem } from '../../src/errors/problem.ts'
import { anyGrapheme } from '../harness/any-character.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')

function refused(input: Uint8Array, what: string): Problem {
  try {
    parseJson(input)
  } catch (error) {
    assert.ok(error instanceof Problem, what)
    assert.equal(error.key, 'INVALID_REQUEST', what)
    return error
  }
  return assert.fail(`${what} was let in`)
}

/** What the limits allow, so that everything generated has to pass. */
const wellFormed = fc
  .string({ unit: anyGrapheme, maxLength: 20 })
  .filter((text) => text.isWellFormed() && !text.includes('\u0000'))
const number = fc
  .oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .filter((n) => !Object.is(n, -0) && (!Number.isInteger(n) || Number.isSafeInteger(n)))
const { value: allowed } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 8, depthSize: 'small' },
    wellFormed,
    number,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(
    wellFormed.filter((name) => name !== '__proto__'),
    tie('value'),
    { maxKeys: 6 },
  ),
}))

suite('what passes', () => {
  test('is what was written, with any spacing and any escapes', () => {
    fc.assert(
      fc.property(allowed, fc.constantFrom(undefined, 1, '\t', ' \r\n'), (value, space) => {
        const text = JSON.stringify(value, null, space as string)
        assert.deepEqual(parseJson(bytes(text)), JSON.parse(text))
        const escaped = text.replaceAll(/[^\x00-\x7f]/g, (character) =>
          Array.from(
            { length: character.length },
            (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
          ).join(''),
        )
        assert.deepEqual(parseJson(bytes(escaped)), JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  test('of any text at all: equal to JSON.parse, or refused where JSON.parse refuses or a rule does', () => {
    const fragments = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        '\\u0061',
        '\\ud83d',
        '\\ude00',
        'a',
        '0',
        '-',
        '1e3',
        'true',
        'null',
        ' ',
        '\n',
        '\u2028',
        'é',
        '/',
        '""',
        '"a":1',
        '"b":[]',
      ),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 30 }),
          fragments.map((parts) => parts.join('')),
        ),
        (text) => {
          let mine: unknown
          try {
            mine = parseJson(bytes(text))
          } catch (error) {
            assert.ok(error instanceof Problem)
            return
          }
          assert.deepEqual(mine, text === '' ? {} : JSON.parse(text))
        },
      ),
      { numRuns: 5000 },
    )
  })

  test('of any bytes at all: a value, or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        try {
          parseJson(input)
        } catch (error) {
          assert.ok(error instanceof Problem)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('an empty body is an empty object (decision D5)', () => {
    assert.deepEqual(parseJson(new Uint8Array()), {})
  })

  test('what only looks like an attack', () => {
    for (const text of [
      '{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}',
      '{"a":"\\"}{\\\\","b":"\\\\"}',
      '{"a":{"x":1},"b":{"x":1}}',
      '[{"x":1},{"x":1}]',
      '{"a":"__proto__"}',
      '{"constructor":1,"prototype":2,"toString":3}',
      '{"n":9007199254740991,"m":-9007199254740991,"d":1e308,"e":1.5e-320,"z":0.1}',
      `${'['.repeat(32)}${']'.repeat(32)}`,
      `{${Array.from({ length: 1000 }, (_, at) => `"m${at}":0`).join()}}`,
      `[${'0,'.repeat(5000)}0]`,
      '"\u2028"',
      '{"emoji":"\\ud83d\\ude00😀"}',
    ]) {
      assert.deepEqual(parseJson(bytes(text)), JSON.parse(text), text.slice(0, 60))
    }
  })
})

suite('what does not', () => {
  const attacks: Readonly<Record<string, string | Buffer>> = {
    'thirty-three levels': `${'['.repeat(33)}${']'.repeat(33)}`,
    '20,000 levels': `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    '200,000 levels': `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`,
    '500,000 levels that never end': '['.repeat(500_000),
    'a thousand and one members': `{${Array.from({ length: 1001 }, (_, at) => `"m${at}":0`).join()}}`,
    'as many, spread over objects': `[${Array.from({ length: 1001 }, () => '{"m":0}').join()}]`,
    'a million members': `{${Array.from({ length: 90_000 }, (_, at) => `"m${at}":0`).join()}}`,
    'a repeated member': '{"a":1,"a":1}',
    'a repeated member, escaped': '{"admin":0,"\\u0061dmin":1}',
    'a repeated member in a list in an object': '{"x":[{"a":1,"b":{"c":1,"c":2}}]}',
    __proto__: '{"__proto__":1}',
    '__proto__, escaped': '{"__pr\\u006fto__":1}',
    '__proto__, deep': '[{"a":{"__proto__":{}}}]',
    'U+0000 in a value': '"\\u0000"',
    'U+0000 in a name': '{"\\u0000":1}',
    'a high surrogate alone': '"\\ud800"',
    'a low surrogate alone': '"\\udc00"',
    'surrogates the wrong way round': '"\\ude00\\ud83d"',
    'a surrogate in a name': '{"\\ud800":1}',
    'a byte order mark': '\ufeff{}',
    'bytes that are no UTF-8': Buffer.from([0x22, 0xff, 0x22]),
    'overlong UTF-8': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    'a surrogate as UTF-8': Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    'UTF-8 cut off': Buffer.from([0x22, 0xe2, 0x82, 0x22]),
    'UTF-16': Buffer.from('{"a":1}', 'utf16le'),
    infinity: '1e400',
    'minus infinity': '-1e400',
    'an integer beyond 2^53': '9007199254740993',
    'an integer of a thousand digits': '9'.repeat(1000),
    'a comma too many': '[1,]',
    'a comment': '{/**/}',
    'single quotes': "{'a':1}",
    'a bare word': 'undefined',
    'two values': '{}{}',
    'a string without end': '{"a":"',
    'an escape without end': '"\\',
    'a control character': '"\u0001"',
  }
  for (const [name, input] of Object.entries(attacks)) {
    test(name, () => {
      const payload = typeof input === 'string' ? bytes(input) : input
      const times = Array.from({ length: 3 }, () => {
        const began = performance.now()
        refused(payload, name)
        return performance.now() - began
      })
      assert.ok(Math.min(...times) < 50, `${Math.min(...times)} ms`)
    })
  }

  test('is never quoted', () => {
    for (const text of [
      '{"password":"CANARY","password":"CANARY"}',
      '{"CANARY":',
      '{"CANARY":"\\u0000"}',
      '"CANARY\\ud800"',
      '{"a":CANARY}',
    ]) {
      const { message, description, details } = refused(bytes(text), text)
      assert.doesNotMatch(JSON.stringify([message, description, details]), /CANARY/)
    }
  })

  test('the time it takes grows with the length, whatever the text', () => {
    const shapes: Readonly<Record<string, (n: number) => string>> = {
      'strings of backslashes': (n) => `["${'\\\\'.repeat(n)}"]`,
      'escapes cut off': (n) => `["${'\\u00'.repeat(n)}"]`,
      'spaces after strings': (n) => `["a"${' '.repeat(n)}]`,
      'many strings, no colon': (n) => `[${'"a" '.repeat(n)}]`,
      'digits and dots': (n) => `[${'1.'.repeat(n)}]`,
      'minus signs': (n) => `[${'-'.repeat(n)}]`,
      'closing brackets': (n) => ']'.repeat(n),
    }
    for (const [name, shape] of Object.entries(shapes)) {
      const took = (n: number) => {
        const input = bytes(shape(n))
        return Math.min(
          ...Array.from({ length: 5 }, () => {
            const began = performance.now()
            try {
              parseJson(input)
            } catch (error) {
              assert.ok(error instanceof Problem)
            }
            return performance.now() - began
          }),
        )
      }
      took(1000)
      const [small, large] = [took(20_000), took(200_000)]
      assert.ok(large < 40 * small + 20, `${name}: ${small} ms, then ${large} ms`)
    }
  })
})
