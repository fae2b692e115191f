/** PURE: what a request object says. RFC 9101 sections 4 and 10.8; rows C16, C17. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assert as holds, dictionary, jsonValue, property, string } from 'fast-check'
import { parametersIn, requestObjectProblem } from '../../../src/oauth/rules/request-object.ts'

const now = 1_800_000_000
const expected = {
  clientId: 'client',
  issuer: 'https://as.test',
  isSigned: true,
  isDemanded: false,
  isProfiled: false,
  now: now * 1000,
}
const good = { iss: 'client', aud: 'https://as.test', iat: now, exp: now + 60 }
const problem = (claims: object, otherwise: Partial<typeof expected> = {}) =>
  requestObjectProblem({ ...good, ...claims }, { ...expected, ...otherwise })

suite('what vouches for a request object', () => {
  test('a good one, with and without end, for several audiences', () => {
    for (const claims of [
      {},
      { exp: undefined },
      { iat: undefined },
      { aud: ['https://as.test'] },
      { aud: ['https://other.test', 'https://as.test'] },
      { client_id: 'client' },
      { sub: 'user' },
      { jti: 'once' },
      { nbf: now + 8 },
      { exp: now - 59 },
      { exp: now + 1_000_000 },
    ]) {
      assert.equal(problem(claims), undefined, JSON.stringify(claims))
    }
  })

  test('C16, C17: others, elsewhere, other times', () => {
    for (const claims of [
      { iss: undefined },
      { iss: 'other' },
      { iss: ['client'] },
      { aud: undefined },
      { aud: [] },
      { aud: 'https://as.test/' },
      { aud: ['https://other.test'] },
      { client_id: 'other' },
      { sub: 'client' },
      { exp: now - 60 },
      { exp: 'soon' },
      { exp: -1 },
      { iat: now + 61 },
      { nbf: now + 61 },
      { nbf: null },
      { jti: '' },
      { jti: 7 },
      { jti: 'x'.repeat(257) },
      { jti: 'once', exp: undefined },
      { jti: 'once', exp: now + 86_401 },
    ]) {
      assert.notEqual(problem(claims), undefined, JSON.stringify(claims))
    }
  })

  test('one that is demanded lives an hour at the most', () => {
    const isDemanded = true
    assert.equal(problem({}, { isDemanded }), undefined)
    assert.equal(problem({ exp: now + 3600, nbf: now - 3600 }, { isDemanded }), undefined)
    for (const claims of [{ exp: undefined }, { exp: now + 3661 }, { nbf: now - 3661 }]) {
      assert.notEqual(problem(claims, { isDemanded }), undefined, JSON.stringify(claims))
    }
  })

  test('one of FAPI 2.0 Message Signing has a beginning, and ends an hour after it at the latest', () => {
    const profiled = { isDemanded: true, isProfiled: true }
    assert.equal(problem({ nbf: now, exp: now + 3600 }, profiled), undefined)
    assert.equal(problem({ nbf: now + 8, exp: now + 300 }, profiled), undefined)
    for (const claims of [{ nbf: undefined }, { nbf: now - 1, exp: now + 3600 }, { nbf: now - 3661, exp: now - 61 }]) {
      assert.notEqual(problem(claims, profiled), undefined, JSON.stringify(claims))
    }
  })

  test('one without a signature need not say who made it for whom, but must not say another', () => {
    const unsigned = { isSigned: false }
    assert.equal(problem({ iss: undefined, aud: undefined, exp: undefined }, unsigned), undefined)
    for (const claims of [{ iss: 'other' }, { aud: 'https://other.test' }, { client_id: 'other' }, { exp: now - 60 }]) {
      assert.notEqual(problem(claims, unsigned), undefined, JSON.stringify(claims))
    }
  })
})

suite('the parameters in a request object', () => {
  const known = ['scope', 'max_age', 'claims', 'state', 'resource', 'authorization_details']
  const read = (claims: object, isSigned = true) => parametersIn(claims as Record<string, unknown>, known, isSigned)

  test('texts, numbers, and what a query holds as JSON', () => {
    assert.deepEqual(
      read({
        ...good,
        scope: 'openid',
        max_age: 60,
        claims: { id_token: { email: null } },
        authorization_details: [{ type: 'a' }],
        state: '',
        unknown: { a: 1 },
        resource: ['https://a.test', 'https://b.test'],
      }),
      {
        values: {
          scope: 'openid',
          max_age: '60',
          claims: '{"id_token":{"email":null}}',
          authorization_details: '[{"type":"a"}]',
        },
        resources: ['https://a.test', 'https://b.test'],
        transaction: {},
      },
    )
    const one = read({ resource: 'https://a.test' })
    assert.deepEqual('values' in one && one.resources, ['https://a.test'])
    const none = read({})
    assert.deepEqual('values' in none && none.resources, undefined)
  })

  test('references, and other kinds, are refused', () => {
    for (const claims of [
      { request: 'x' },
      { request_uri: 'https://a.test' },
      { scope: ['openid'] },
      { scope: null },
      { state: 'a\u0000b' },
      { state: '\ud800' },
      { state: 'x'.repeat(16_385) },
      { max_age: {} },
      { claims: null },
      { resource: [7] },
      { resource: {} },
    ]) {
      assert.ok('refused' in read(claims), JSON.stringify(claims).slice(0, 60))
    }
  })

  test('2.14: pi.remoteIp is an address, and needs a signature', () => {
    for (const remoteIp of ['198.51.100.7', '2001:db8::1']) {
      const result = read({ 'pi.remoteIp': remoteIp })
      assert.deepEqual('transaction' in result && result.transaction, { remoteIp })
      assert.ok('refused' in read({ 'pi.remoteIp': remoteIp }, false))
    }
    for (const remoteIp of ['localhost', '198.51.100.7:80', '', 7, ['198.51.100.7'], null]) {
      assert.ok('refused' in read({ 'pi.remoteIp': remoteIp }), JSON.stringify(remoteIp))
    }
  })

  test('2.14: pi.clientContext is any object, not too large, and signed', () => {
    const clientContext = { header: 'Pay', body: 'To <b>you</b>', more: { lines: [1, true, null] } }
    const result = read({ 'pi.clientContext': clientContext })
    assert.deepEqual('transaction' in result && result.transaction, { clientContext })
    assert.ok('refused' in read({ 'pi.clientContext': clientContext }, false))
    for (const wrong of [null, 'x', 7, [clientContext], { body: 'x'.repeat(4096) }, { ['x'.repeat(101)]: 1 }]) {
      assert.ok('refused' in read({ 'pi.clientContext': wrong }), JSON.stringify(wrong).slice(0, 60))
    }
  })

  test('2.14: pi.template names a template of codes, a variant, and what it is filled with', () => {
    const template = { name: 'transaction', variant: 'variant_B', variables: { sum: '1,000,000', currency: 'USD' } }
    const result = read({ 'pi.template': template })
    assert.deepEqual('transaction' in result && result.transaction, { template })
    assert.ok('refused' in read({ 'pi.template': template }, false))
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`v${at}`, 'x']))
    for (const wrong of [
      null,
      'transaction',
      {},
      { name: 'general' },
      { name: 'transaction', variant: '' },
      { name: 'transaction', variables: { sum: 7 } },
      { name: 'transaction', variables: { 'a b': 'x' } },
      { name: 'transaction', variables: { sum: 'x'.repeat(257) } },
      { name: 'transaction', variables: many },
    ]) {
      assert.ok('refused' in read({ 'pi.template': wrong }), JSON.stringify(wrong).slice(0, 60))
    }
  })

  test('whatever is in it, what comes out are texts under known names', () => {
    holds(
      property(dictionary(string(), jsonValue()), jsonValue(), (claims, value) => {
        const result = read({ ...claims, scope: value, state: value, resource: value })
        if ('refused' in result) return
        for (const [name, text] of Object.entries(result.values)) {
          assert.ok(known.includes(name) && typeof text === 'string')
        }
      }),
    )
  })
})
