import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { isCommonlyUsed } from '../../../src/directory/passwords/common-passwords.ts'

suite('commonly used passwords', () => {
  test('K25: every one of the list is found, in lower and upper case', () => {
    const missing = dictionary['passwords-common'].filter(
      (word) => !isCommonlyUsed(word) || !isCommonlyUsed(word.toUpperCase()),
    )
    assert.deepEqual(missing, [])
    assert.ok(dictionary['passwords-common'].length >= 10_000)
  })

  for (const [password, expected] of [
    ['Password1!', true],
    ['P@$$w0rd', true],
    ['p4ssw0rd', true],
    ['!Welcome1!', true],
    ['b@seball', true],
    ['b4seball', true],
    ['mast3r', true],
    ['m1chael', true],
    ['m!chael', true],
    ['m|chael', true],
    ['f00tball', true],
    ['ba5eball', true],
    ['ba$eball', true],
    ['7igger', true],
    ['+igger', true],
    ['Qwertyuiop', true],
    ['12345678', true],
    ['abcd1234', true],
    ['correct horse battery staple', false],
    ['password horse battery', false],
    ['Tr1cky-Horse', false],
    ['!?!?!?!?', false],
    ['🐎🔋🧷🐎🔋🧷', false],
    ['constructor', false],
    ['__proto__', false],
  ] as const) {
    test(`${password} is ${expected ? '' : 'not '}commonly used`, () =>
      assert.equal(isCommonlyUsed(password), expected))
  }

  test('the longest password is screened in an instant', () => {
    const before = performance.now()
    assert.ok(!isCommonlyUsed('!'.repeat(2048) + 'a' + '!'.repeat(2047)))
    assert.ok(!isCommonlyUsed('!a'.repeat(2048)))
    assert.ok(!isCommonlyUsed(`a${'!'.repeat(4094)}a`))
    assert.ok(performance.now() - before < 500, 'on a busy machine too; a slow algorithm takes minutes')
  })
})
