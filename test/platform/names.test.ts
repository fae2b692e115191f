/** What names and descriptions may hold: platform-api 1.3, authentication-api 7.5. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nullMeansAbsent, withoutNulls } from '../../src/platform/absent-members.ts'
import { description, name } from '../../src/platform/names.ts'
import { z } from 'zod'

const printable = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at))
const controls = [
  ...Array.from({ length: 32 }, (_, at) => at),
  ...Array.from({ length: 33 }, (_, at) => 0x7f + at),
].map((code) => String.fromCharCode(code))

suite('names and descriptions', () => {
  test('a name may hold everything but control characters, and is not blank', () => {
    for (const character of [...printable, 'ü', 'п', '漢', '😀'])
      assert.ok(name.safeParse(`a${character}`).success, character)
    for (const character of controls)
      assert.ok(!name.safeParse(`a${character}`).success, String(character.charCodeAt(0)))
    for (const text of ['', ' ', '\u00a0', 'x'.repeat(257), 1, null]) assert.ok(!name.safeParse(text).success)
    assert.ok(name.safeParse('x'.repeat(256)).success)
  })

  test('a description lacks the characters that PingOne refuses', () => {
    for (const character of [...printable, 'ü', 'п', '漢', '😀', '\t', '\n', '\r']) {
      assert.equal(description.safeParse(character).success, !'$+<=>^`|~'.includes(character), character)
    }
    for (const character of controls.filter((one) => !'\t\n\r'.includes(one))) {
      assert.ok(!description.safeParse(character).success, String(character.charCodeAt(0)))
    }
    assert.ok(description.safeParse('').success)
    assert.ok(!description.safeParse('x'.repeat(1025)).success)
  })

  test('null means absent, in members at any depth, but not in lists', () => {
    const sent = { a: null, b: { c: null, d: [{ e: null, f: 1 }, null] }, g: false, h: '', i: 0 }
    assert.deepEqual(withoutNulls(sent), { b: { d: [{ f: 1 }, null] }, g: false, h: '', i: 0 })
    const schema = nullMeansAbsent(z.object({ a: z.number().default(7), b: z.string().optional() }))
    assert.deepEqual(schema.parse({ a: null, b: null }), { a: 7 })
    for (const other of [null, 'x', 1, []]) assert.ok(!schema.safeParse(other).success)
  })
})
