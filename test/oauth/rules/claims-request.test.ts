/** The `claims` parameter as it is read: OpenID Connect Core section 5.5; row A36. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { array, assert as holds, boolean, constantFrom, jsonValue, object, property, string } from 'fast-check'
import {
  claimWithValues,
  readClaimsRequest,
  type RequestedClaim,
  wantedSubjects,
} from '../../../src/oauth/rules/claims-request.ts'

const read = (value: unknown) => readClaimsRequest(JSON.stringify(value))
const claimsIn = (value: unknown) => {
  const request = read(value)
  assert.ok(!('refused' in request), JSON.stringify(request))
  return request
}

suite('the claims parameter', () => {
  test('the example of the specification', () => {
    const request = claimsIn({
      userinfo: {
        given_name: { essential: true },
        nickname: null,
        email: { essential: true },
        'http://example.info/claims/groups': null,
      },
      id_token: { auth_time: { essential: true }, acr: { values: ['urn:mace:incommon:iap:silver'] } },
    })
    assert.deepEqual(request, {
      userinfo: [
        { name: 'given_name', essential: true },
        { name: 'nickname', essential: false },
        { name: 'email', essential: true },
        { name: 'http://example.info/claims/groups', essential: false },
      ],
      idToken: [
        { name: 'auth_time', essential: true },
        { name: 'acr', essential: false, values: ['urn:mace:incommon:iap:silver'] },
      ],
    })
    assert.deepEqual(claimWithValues(request, 'acr')?.values, ['urn:mace:incommon:iap:silver'])
    assert.equal(claimWithValues(request, 'auth_time'), undefined)
  })

  test('members that nobody has defined are ignored', () => {
    assert.deepEqual(claimsIn({ transaction: { x: 1 }, id_token: { name: { purpose: 'greeting' } } }), {
      idToken: [{ name: 'name', essential: false }],
      userinfo: [],
    })
    assert.deepEqual(claimsIn({}), { idToken: [], userinfo: [] })
    assert.deepEqual(claimsIn({ userinfo: null }), { idToken: [], userinfo: [] })
  })

  test('A36: lists for objects, deep nesting, other types and too much of it are refused', () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`c${at}`, null]))
    const table: readonly unknown[] = [
      [],
      null,
      'name',
      7,
      { userinfo: [] },
      { userinfo: 'name' },
      { id_token: { name: [] } },
      { id_token: { name: 'x' } },
      { id_token: { name: { essential: 'true' } } },
      { id_token: { acr: { value: 'a', values: ['a'] } } },
      { id_token: { acr: { value: {} } } },
      { id_token: { acr: { value: null } } },
      { id_token: { acr: { values: [] } } },
      { id_token: { acr: { values: 'a' } } },
      { id_token: { acr: { values: [['a']] } } },
      { id_token: { acr: { values: Array.from({ length: 21 }, String) } } },
      { id_token: { acr: { value: 'a'.repeat(513) } } },
      { id_token: { ['a'.repeat(101)]: null } },
      { id_token: many(51) },
      { id_token: many(26), userinfo: many(25) },
      { x: 'a'.repeat(8192) },
    ]
    for (const value of table) assert.ok('refused' in read(value), JSON.stringify(value))
    assert.ok(!('refused' in read({ id_token: many(25), userinfo: many(25) })))
    for (const text of ['', '{', '{}{}', `${'{"userinfo":'.repeat(500)}{}${'}'.repeat(500)}`, '['.repeat(8000)]) {
      assert.ok('refused' in readClaimsRequest(text), text.slice(0, 20))
    }
  })

  test('A36: a prototype is no member', () => {
    const request = readClaimsRequest('{"__proto__":{"id_token":{"email":null}},"userinfo":{"__proto__":null}}')
    assert.deepEqual(request, { idToken: [], userinfo: [{ name: '__proto__', essential: false }] })
    const inherited = Object.prototype as Record<string, unknown>
    assert.equal(inherited['id_token'], undefined)
  })

  test('sub: what all of it leaves', () => {
    const subjects = (idToken: unknown, userinfo: unknown = null) =>
      wantedSubjects(claimsIn({ id_token: { sub: idToken }, userinfo: { sub: userinfo } }))
    assert.equal(subjects(null), undefined)
    assert.equal(subjects({ essential: true }), undefined)
    assert.deepEqual(subjects({ value: 'a' }), ['a'])
    assert.deepEqual(subjects({ values: ['a', 'b'] }, { values: ['b', 'c'] }), ['b'])
    assert.deepEqual(subjects({ value: 'a' }, { value: 'b' }), [])
  })

  test('whatever is sent, it is read or refused, and what is read is within the limits', () => {
    const member = object({ maxDepth: 2 })
    holds(
      property(jsonValue(), member, member, array(constantFrom('id_token', 'userinfo')), (any, one, other, names) => {
        for (const value of [
          any,
          { id_token: one, userinfo: other },
          Object.fromEntries(names.map((name) => [name, one])),
        ]) {
          const request = readClaimsRequest(JSON.stringify(value) ?? '')
          if ('refused' in request) continue
          const claims: readonly RequestedClaim[] = [...request.idToken, ...request.userinfo]
          assert.ok(claims.length <= 50)
          for (const { name, values = [] } of claims) {
            assert.ok(name.length <= 100 && values.length <= 20)
            for (const each of values) assert.notEqual(typeof each, 'object')
          }
        }
      }),
    )
    holds(
      property(string(), boolean(), (text, essential) => {
        readClaimsRequest(text)
        const request = read({ id_token: { [text]: { essential } } })
        assert.ok('refused' in request || request.idToken[0]?.essential === essential || text === '__proto__')
      }),
    )
  })
})
