import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { tokenContent } from '../../src/dev/token-content.ts'

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

suite('content of a token', () => {
  test('header and claims are read', () => {
    const token = `${part({ alg: 'RS256' })}.${part({ sub: 'ada', n: { x: [1] } })}.c2ln`
    assert.deepEqual(tokenContent(token), { header: { alg: 'RS256' }, claims: { sub: 'ada', n: { x: [1] } } })
  })

  test('what is no token has no content', () => {
    for (const text of ['', 'a', 'a.b', 'a.b.c', `${part({})}.${part([])}.x`, `${part({})}.${part(null)}.x`]) {
      assert.equal(tokenContent(text), undefined, text)
    }
    assert.equal(tokenContent(`${part({})}.${part({})}.x.y.z`), undefined)
  })

  test('it never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (parts) => {
        tokenContent(parts.join('.'))
      }),
    )
  })
})
