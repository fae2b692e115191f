/** PURE: which scopes a request gets. RFC 6749 section 3.3, authentication-api 2.3 and 2.9; rows A28, D17. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type GrantedResource, grantScopes, parseScope } from '../../src/oauth/rules/scopes.ts'

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
const orders: GrantedResource = {
  type: 'CUSTOM',
  audience: 'orders',
  accessTokenSeconds: 900,
  scopes: ['orders:read', 'orders:write'],
}
const bills: GrantedResource = { type: 'CUSTOM', audience: 'bills', accessTokenSeconds: 600, scopes: ['bills:read'] }

const forUser = { user: true, manyResources: false }
const forApplication = { user: false, manyResources: false }

suite('the scope parameter', () => {
  test('is a list of distinct words', () => {
    assert.deepEqual(parseScope(undefined), [])
    assert.deepEqual(parseScope(''), [])
    assert.deepEqual(parseScope('openid'), ['openid'])
    assert.deepEqual(parseScope('openid profile openid'), ['openid', 'profile'])
    assert.deepEqual(parseScope('  openid   profile '), ['openid', 'profile'])
  })

  test('A28: characters outside of RFC 6749 section 3.3 are refused', () => {
    for (const scope of ['a"b', 'a\\b', 'ä', 'a\tb', 'a\nb', 'openid \u0000', 'a\u007fb', 'openid\u00a0profile']) {
      assert.ok('refused' in parseScope(scope), JSON.stringify(scope))
    }
    for (const scope of ['!', '#', '[', ']', '~', 'https://api.test/read', "it's"])
      assert.deepEqual(parseScope(scope), [scope])
  })

  test('A28: too many, too long', () => {
    const names = (count: number) => Array.from({ length: count }, (_, at) => `s${at}`).join(' ')
    assert.equal((parseScope(names(100)) as readonly string[]).length, 100)
    assert.ok('refused' in parseScope(names(101)))
    assert.ok('refused' in parseScope(names(10_000)))
    assert.ok('refused' in parseScope('a'.repeat(257)))
    assert.ok('refused' in parseScope('a '.repeat(5_000)))
  })
})

suite('granting scopes', () => {
  test('A28: what the application was not granted is left out', () => {
    assert.deepEqual(grantScopes(['openid', 'profile', 'phone', 'orders:read'], [openId], forUser), {
      scopes: ['openid', 'profile'],
      audiences: [],
      accessTokenSeconds: null,
    })
  })

  test('when nothing is left of what was asked for, the request is refused', () => {
    assert.deepEqual(grantScopes(['orders:read'], [openId], forUser), { refused: 'At least one scope must be granted' })
    assert.deepEqual(grantScopes(['openid'], [openId], forApplication), {
      refused: 'At least one scope must be granted',
    })
  })

  test('nothing asked for: nothing for a user, everything of the one custom resource for an application', () => {
    assert.deepEqual(grantScopes([], [openId, orders], forUser), {
      scopes: [],
      audiences: [],
      accessTokenSeconds: null,
    })
    assert.deepEqual(grantScopes([], [openId, platform, orders], forApplication), {
      scopes: ['orders:read', 'orders:write'],
      audiences: ['orders'],
      accessTokenSeconds: 900,
    })
    assert.deepEqual(grantScopes([], [orders, bills], forApplication), {
      scopes: [],
      audiences: [],
      accessTokenSeconds: null,
    })
    assert.deepEqual(grantScopes([], [], forApplication), { scopes: [], audiences: [], accessTokenSeconds: null })
  })

  test('D17: an application gets no scope of OpenID Connect', () => {
    assert.deepEqual(grantScopes(['openid', 'profile', 'p1:read:user'], [openId, platform], forApplication), {
      scopes: ['p1:read:user'],
      audiences: [],
      accessTokenSeconds: null,
    })
  })

  test('openid needs no grant, and goes with any one resource', () => {
    assert.deepEqual(grantScopes(['openid'], [], forUser), {
      scopes: ['openid'],
      audiences: [],
      accessTokenSeconds: null,
    })
    assert.deepEqual(grantScopes(['openid', 'profile', 'orders:read'], [openId, orders], forUser), {
      scopes: ['openid', 'profile', 'orders:read'],
      audiences: ['orders'],
      accessTokenSeconds: 900,
    })
  })

  test('scopes of several resources: refused, except custom ones where the application has the switch', () => {
    const refused = { refused: 'May not request scopes for multiple resources' }
    const both = ['orders:read', 'bills:read']
    assert.deepEqual(grantScopes(both, [orders, bills], forUser), refused)
    assert.deepEqual(grantScopes(both, [orders, bills], forApplication), refused)
    assert.deepEqual(grantScopes(both, [orders, bills], { user: true, manyResources: true }), {
      scopes: both,
      audiences: ['orders', 'bills'],
      accessTokenSeconds: 600,
    })
    const mixed = ['orders:read', 'p1:read:user']
    assert.deepEqual(grantScopes(mixed, [orders, platform], { user: true, manyResources: true }), refused)
  })

  test('A28: whatever is asked for, nothing is given that was not both asked for and granted', () => {
    const names: fc.Arbitrary<string> = fc.constantFrom(
      'openid',
      'profile',
      'email',
      'phone',
      'p1:read:user',
      'orders:read',
      'orders:write',
      'bills:read',
      'other',
    )
    const resources = fc.subarray([openId, platform, orders, bills])
    fc.assert(
      fc.property(
        fc.uniqueArray(names),
        resources,
        fc.boolean(),
        fc.boolean(),
        (requested, granted, user, manyResources) => {
          const result = grantScopes(requested, granted, { user, manyResources })
          if ('refused' in result) return
          const givable = new Set<string>(
            granted.filter(({ type }) => user || type !== 'OPENID_CONNECT').flatMap(({ scopes }) => scopes),
          )
          if (user) givable.add('openid')
          for (const scope of result.scopes) {
            assert.ok(givable.has(scope), scope)
            if (requested.length > 0 || user) assert.ok(requested.includes(scope), scope)
          }
          if (!manyResources) assert.ok(result.audiences.length <= 1)
          for (const audience of result.audiences) assert.ok(granted.some((resource) => resource.audience === audience))
        },
      ),
      { numRuns: 2000 },
    )
  })
})
