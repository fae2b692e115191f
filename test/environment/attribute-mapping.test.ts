/** Values of attribute mappings: platform-api 3.9, 3.11.3; row E22. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isReservedClaim, mappedValue, mappedValueProblem } from '../../src/environment/attribute-mapping.ts'
import { openidAttributes } from '../../src/environment/openid-attributes.ts'

const user: Readonly<Record<string, unknown>> = {
  id: 'u1',
  username: 'ada',
  'name.given': 'Ada',
  emailVerified: true,
  createdAt: '2026-11-26T10:00:00.999Z',
  memberOfGroupNames: ['Staff', 'Readers'],
  nickname: '',
}
const read = (path: string) => user[path]

suite('values of attribute mappings', () => {
  const values: readonly (readonly [string, unknown, unknown])[] = [
    ['${user.username}', 'ada', undefined],
    ['${user.emailVerified}', true, undefined],
    ['${user.memberOfGroupNames}', ['Staff', 'Readers'], undefined],
    ['${user.createdAt}', '2026-11-26T10:00:00.999Z', undefined],
    ['${#datetime.toUnixTimestamp(user.createdAt)}', 1_795_687_200, undefined],
    ['gold', 'gold', 'gold'],
    ['$100 {x} $', '$100 {x} $', '$100 {x} $'],
    ['ref:${user.id}/${user.name.given}', 'ref:u1/Ada', undefined],
    ['v=${user.emailVerified}', 'v=true', undefined],
    ['${user.memberOfGroupNames}!', 'Staff,Readers!', undefined],
    ['${user.nickname}', undefined, undefined],
    ['${user.title}', undefined, undefined],
    ['Dr ${user.title}', undefined, undefined],
    ['', undefined, undefined],
  ]
  for (const [value, ofUser, ofNobody] of values) {
    test(`${JSON.stringify(value)} is ${JSON.stringify(ofUser)}`, () => {
      assert.equal(mappedValueProblem(value), undefined)
      assert.deepEqual(mappedValue(value).of(read), ofUser)
      assert.equal(mappedValue(value).of(undefined), ofNobody, 'without a user')
    })
  }

  const refused = [
    '${user.password}',
    '${user.constructor}',
    '${user.__proto__}',
    '${user}',
    '${user.}',
    '${user.name}',
    '${user.ID}',
    '${ user.id }',
    '${application.id}',
    '${user.id',
    'x ${user.id} ${',
    '${${user.id}}',
    '${#datetime.toUnixTimestamp(user.username)}',
    '${#datetime.now()}',
    '${user.id + user.username}',
    "${T(java.lang.Runtime).getRuntime().exec('x')}",
  ]
  for (const value of refused) {
    test(`${value} is refused, and has no value where it is stored all the same`, () => {
      assert.equal(typeof mappedValueProblem(value), 'string')
      assert.equal(mappedValue(value).of(read), undefined)
    })
  }

  test('only what wants groups asks for them', () => {
    assert.deepEqual(mappedValue('${user.username}').needs, [])
    assert.deepEqual(mappedValue('${user.memberOfGroupIDs} ${user.memberOfGroupNames}').needs, ['groups'])
  })

  test('any text is judged in time, and what passes never reads a path that is not listed', () => {
    const pieces = fc.constantFrom(
      '${',
      'user.',
      'id',
      '}',
      '$',
      '#datetime.toUnixTimestamp(',
      'createdAt',
      ')',
      'x',
      '.',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const value = parts.join('')
        const asked: string[] = []
        mappedValue(value).of((path) => {
          asked.push(path)
          return 'v'
        })
        assert.ok(asked.every((path) => ['id', 'createdAt'].includes(path)))
        if (mappedValueProblem(value) !== undefined) assert.deepEqual(asked, [])
      }),
    )
    const started = performance.now()
    mappedValueProblem('${user.'.repeat(100_000))
    assert.ok(performance.now() - started < 1000)
  })

  test('the values that openid begins with are all understood', () => {
    for (const { value } of Object.values(openidAttributes)) assert.equal(mappedValueProblem(value), undefined, value)
  })

  test('E22: claims by which tokens are judged are reserved, and those that somebody may want are not', () => {
    const names =
      'iss sub aud exp iat nbf jti azp client_id scope env acr amr auth_time sid cnf act roles p1.userId p1.x org at_hash ' +
      'c_hash s_hash nonce may_act authorization_details events token_use typ'
    for (const name of names.split(' ')) assert.equal(isReservedClaim(name), true, name)
    for (const name of ['email', 'department', 'groups', 'p1', 'Sub', 'https://x.test/role']) {
      assert.equal(isReservedClaim(name), false, name)
    }
  })
})
