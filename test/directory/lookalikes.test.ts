import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { lookalikeOf } from '../../src/directory/lookalikes.ts'
import { usernameKey } from '../../src/directory/users.ts'
import { anyGrapheme } from '../harness/any-character.ts'

suite('K28: names that look like others', () => {
  const seen = [
    ['\u0430dmin', 'admin'],
    ['\u0410DMIN', 'admin'],
    ['ADM\u0130N', 'admin'],
    ['adm\u0131n', 'admin'],
    ['\u0455\u0441\u043e\u0440\u0435', 'scope'],
    ['\u0412OB', 'bob'],
    ['\u03bf\u03c1\u03b1', 'opa'],
    ['\u1d00\u1d05\u1d0d\u026a\u0274', 'admin'],
    ['\u0430nn@example.com', 'ann@example.com'],
    ['ann@ex\u0430mple.com', 'ann@example.com'],
    [' \u0430dmin ', 'admin'],
    ['\u0393\u{1d73e}', 'yi'],
    ['\u041d\u043eme', 'home'],
  ] as const
  for (const [name, like] of seen) test(`${name} looks like ${like}`, () => assert.equal(lookalikeOf(name), like))

  test('what is Latin, and what has a shape of its own, looks like nothing else', () => {
    const plain = [
      'admin',
      'ADMIN',
      'ａdmin',
      'j\u00fcrgen',
      '\u00e9mile',
      '\u0434\u0436\u044f',
      '\u7530\u4e2d',
      'a.b-c_d+1',
    ]
    for (const name of plain) assert.equal(lookalikeOf(name), undefined, name)
  })

  test('whatever is typed, the form is stable, and ASCII is always itself', () => {
    const telling = fc.constantFrom(...'\u0430\u041d\u0393\u03b9\u0130\u0131\u03c2\u1e9eiIjJ\u0307\u0301\u0345 ')
    const unit = fc.oneof(anyGrapheme, telling)
    fc.assert(
      fc.property(fc.string({ unit }), (name) => {
        const form = lookalikeOf(name)
        if (form !== undefined) assert.equal(lookalikeOf(form) ?? form, usernameKey(form))
      }),
    )
    fc.assert(fc.property(fc.string(), (name) => assert.equal(lookalikeOf(name), undefined)))
  })
})
