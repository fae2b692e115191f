/** What providers say, made flat (platform-api 3.13; row M08). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { providerAttributes, providerEmail } from '../../src/external/provider-attributes.ts'

test('objects and lists become paths, the first source wins, the protocol stays out', () => {
  const first = { sub: 'a', iss: 'x', nonce: 'y', address: { country: 'DE' }, emails: [{ value: 'e' }], verified: true }
  const second = { sub: 'b', locale: 'de', age: 7, nothing: null }
  assert.deepEqual(providerAttributes([first, second], { 'name.first': 'locale', gone: 'absent' }), {
    sub: 'a',
    'address.country': 'DE',
    'emails.0.value': 'e',
    verified: true,
    locale: 'de',
    age: 7,
    'name.first': 'de',
  })
})

test('what is too deep, too long, too much or oddly named is left out', () => {
  const deep = { a: { b: { c: { d: { e: { f: 'x' } } } } } }
  assert.deepEqual(providerAttributes([deep], {}), {})
  assert.deepEqual(providerAttributes([{ a: 'x'.repeat(2049), 'b c': 1, 'd.e': 1, ['n'.repeat(65)]: 1 }], {}), {})
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`a${at}`, at]))
  assert.equal(Object.keys(providerAttributes([many], {})).length, 200)
  const polluted = JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}')
  providerAttributes([polluted], {})
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})

test('M08: an address is verified by `true` of the source that names it, and by nothing else', () => {
  assert.deepEqual(providerEmail([{ email: 'a@b.example', email_verified: true }]), {
    address: 'a@b.example',
    verified: true,
  })
  for (const verified of [false, undefined, null, 'true', 'false', 1, {}, []]) {
    assert.equal(
      providerEmail([{ email: 'a@b.example', email_verified: verified }])?.verified,
      false,
      JSON.stringify(verified),
    )
  }
  assert.equal(
    providerEmail([{ email: 'a@b.example' }, { email: 'c@d.example', email_verified: true }])?.verified,
    false,
  )
  assert.equal(providerEmail([{ email_verified: true }, { email: 'c@d.example' }])?.verified, false)
  assert.equal(providerEmail([{ email: '' }, { email: 7 }, {}]), null)
})

test('anything a provider may say gives plain values', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (said) => {
      for (const value of Object.values(providerAttributes([{ said }], {}))) {
        assert.ok(['string', 'number', 'boolean'].includes(typeof value))
      }
    }),
  )
})
