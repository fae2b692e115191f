/** PURE: for which resource servers a token is meant. RFC 8707; row C23. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assert as holds, boolean, constantFrom, property, subarray } from 'fast-check'
import { grantForTarget, grantForTargets, narrow } from '../../../src/oauth/rules/resource-indicators.ts'
import type { GrantedResource } from '../../../src/oauth/rules/scopes.ts'

const platformAudience = 'https://api.test'
const openId: GrantedResource = {
  type: 'OPENID_CONNECT',
  audience: null,
  accessTokenSeconds: null,
  scopes: ['profile', 'email'],
}
const platform: GrantedResource = {
  type: 'PINGONE_API',
  audience: null,
  accessTokenSeconds: null,
  scopes: ['p1:read:user'],
}
const custom = (name: string, accessTokenSeconds: number | null): GrantedResource => ({
  type: 'CUSTOM',
  audience: `https://${name}.test/api`,
  accessTokenSeconds,
  scopes: [`${name}:read`, 'read'],
})
const [orders, bills] = [custom('orders', 900), custom('bills', 600)]
const named: GrantedResource = { ...custom('named', null), audience: 'no-uri' }
const granted = [openId, platform, orders, bills, named]
const [ordersUri, billsUri] = ['https://orders.test/api', 'https://bills.test/api']

const one = { user: true, manyResources: false }
const many = { user: true, manyResources: true }
const target = (...resources: string[]) => ({ resources, platformAudience })

suite('resource indicators', () => {
  test('none: what the scopes say', () => {
    assert.deepEqual(grantForTarget(['openid', 'orders:read'], granted, target(), one), {
      scopes: ['openid', 'orders:read'],
      audiences: [ordersUri],
      accessTokenSeconds: 900,
    })
  })

  test('a named one is the audience, whether or not a scope of it is asked for; scopes of others are left out', () => {
    const only = { audiences: [billsUri], accessTokenSeconds: 600 }
    assert.deepEqual(grantForTarget(['openid'], granted, target(billsUri), one), { scopes: ['openid'], ...only })
    assert.deepEqual(grantForTarget(['openid', 'orders:read', 'bills:read', 'read'], granted, target(billsUri), one), {
      scopes: ['openid', 'bills:read', 'read'],
      ...only,
    })
    assert.deepEqual(grantForTarget([], granted, target(billsUri), { ...one, user: false }), {
      scopes: ['bills:read', 'read'],
      ...only,
    })
  })

  test('the platform is named by its audience, and serves nothing else', () => {
    assert.deepEqual(grantForTarget(['openid', 'p1:read:user', 'read'], granted, target(platformAudience), one), {
      scopes: ['openid', 'p1:read:user'],
      audiences: [],
      accessTokenSeconds: null,
    })
    const refused = grantForTarget(['openid'], granted, target(platformAudience, ordersUri), many)
    assert.equal('refused' in refused && refused.error, 'invalid_target')
  })

  test('several: one token serves them where the application may have such tokens', () => {
    const refused = grantForTarget(['read'], granted, target(ordersUri, billsUri), one)
    assert.equal('refused' in refused && refused.error, 'invalid_target')
    assert.deepEqual(grantForTarget(['orders:read', 'bills:read'], granted, target(ordersUri, billsUri), many), {
      scopes: ['orders:read', 'bills:read'],
      audiences: [ordersUri, billsUri],
      accessTokenSeconds: 600,
    })
  })

  test('C23: what is no absolute URI, unknown, not granted, or too much is refused', () => {
    const table = [
      ['orders'],
      ['no-uri'],
      ['//orders.test/api'],
      ['https://orders.test/api#f'],
      ['https://orders.test/api '],
      ['https://orders.test/API'],
      ['https://orders.test/api/'],
      ['https://elsewhere.test'],
      [ordersUri, 'https://elsewhere.test'],
      [`https://${'a'.repeat(2050)}.test`],
      Array.from({ length: 21 }, (_, at) => `https://r${at}.test`),
    ]
    for (const resources of table) {
      for (const verdict of [
        grantForTarget(['openid'], granted, target(...resources), many),
        grantForTargets(['openid'], granted, target(...resources)),
      ]) {
        assert.equal('refused' in verdict && verdict.error, 'invalid_target', resources[0]?.slice(0, 60))
      }
    }
    const nothing = grantForTarget(['orders:read'], granted, target(billsUri), one)
    assert.equal('refused' in nothing && nothing.error, 'invalid_scope')
  })

  test('a code may be for several, and each token for one of them', () => {
    const code = grantForTargets(
      ['openid', 'orders:read', 'bills:read', 'p1:read:user'],
      granted,
      target(ordersUri, billsUri),
    )
    assert.ok(!('refused' in code))
    assert.deepEqual(code.scopes, ['openid', 'orders:read', 'bills:read'])
    const grant = { ...code, resources: [ordersUri, billsUri] }
    assert.deepEqual(narrow(grant, granted, target(billsUri), one), {
      scopes: ['openid', 'bills:read'],
      audiences: [billsUri],
      accessTokenSeconds: 600,
    })
    for (const refused of [
      narrow(grant, granted, target(), one),
      narrow(grant, granted, target(platformAudience), one),
    ]) {
      assert.equal('refused' in refused && refused.error, 'invalid_target')
    }
    const withdrawn = narrow(grant, [openId, orders], target(billsUri), one)
    assert.equal('refused' in withdrawn && withdrawn.error, 'invalid_target', 'a grant that was withdrawn meanwhile')
  })

  test('a grant that named none is for what its scopes say', () => {
    const grant = { scopes: ['openid', 'read'], audiences: [ordersUri], accessTokenSeconds: 900 }
    assert.equal(narrow(grant, granted, target(), one), grant)
    assert.ok('scopes' in narrow(grant, granted, target(ordersUri), one))
    assert.ok('refused' in narrow(grant, granted, target(billsUri), one))
    const forPlatform = { scopes: ['openid'], audiences: [], accessTokenSeconds: null }
    assert.ok('scopes' in narrow(forPlatform, granted, target(platformAudience), one))
    assert.ok('refused' in narrow(forPlatform, granted, target(ordersUri), one))
  })

  test('whatever is asked: no audience but a named one, no scope but of a named resource', () => {
    const scopes = ['openid', 'profile', 'read', 'orders:read', 'bills:read', 'named:read', 'p1:read:user', 'x']
    const uris = [ordersUri, billsUri, platformAudience]
    holds(
      property(
        subarray(scopes),
        subarray(uris, { minLength: 1 }),
        boolean(),
        constantFrom(...granted),
        (requested, resources, manyResources, missing) => {
          const has = granted.filter((resource) => resource !== missing)
          const verdict = grantForTarget(requested, has, target(...resources), { user: true, manyResources })
          if ('refused' in verdict) return
          assert.ok(verdict.audiences.every((audience) => resources.includes(audience)))
          assert.ok(manyResources || verdict.audiences.length <= 1)
          const serving = has.filter(
            ({ type, audience }) =>
              type === 'OPENID_CONNECT' ||
              resources.includes(type === 'PINGONE_API' ? platformAudience : (audience ?? '')),
          )
          for (const scope of verdict.scopes) {
            assert.ok(requested.includes(scope))
            assert.ok(scope === 'openid' || serving.some((resource) => resource.scopes.includes(scope)), scope)
          }
        },
      ),
    )
  })
})
