/** What a token may be exchanged for, as tables: RFC 8693, row E26. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { GrantedResource } from '../../../src/oauth/rules/scopes.ts'
import { actOf, exchangedGrant, mayAct, readAct } from '../../../src/oauth/rules/token-exchange.ts'

const resource = (audience: string, ...scopes: string[]): GrantedResource => ({
  type: 'CUSTOM',
  audience,
  accessTokenSeconds: null,
  scopes,
})
const openid: GrantedResource = {
  type: 'OPENID_CONNECT',
  audience: null,
  accessTokenSeconds: null,
  scopes: ['profile'],
}
const platform: GrantedResource = { ...openid, type: 'PINGONE_API', scopes: ['p1:read:user'] }
const orders = resource('orders', 'orders:read', 'orders:write')
const bills = resource('bills', 'bills:read')

suite('E26: scopes and audience of what is exchanged', () => {
  const all = [openid, platform, orders, bills]
  const ceiling = { granted: all, holders: [all], consented: undefined }
  const ofHolders = (...holders: GrantedResource[][]) => ({ ...ceiling, holders })
  type Row = readonly [
    what: string,
    requested: string[],
    targets: string[],
    typeof ceiling | { granted: GrantedResource[]; holders: GrantedResource[][]; consented: string[] },
    expected: string[] | 'invalid_scope' | 'invalid_target',
  ]
  const table: readonly Row[] = [
    ['a scope says which resource', ['orders:read'], [], ceiling, ['orders:read']],
    ['an audience alone is all of it', [], ['orders'], ceiling, ['orders:read', 'orders:write']],
    ['both', ['orders:write'], ['orders'], ceiling, ['orders:write']],
    ['neither, and there are two', [], [], ceiling, 'invalid_target'],
    ['neither, and there is one', [], [], { ...ceiling, granted: [openid, bills] }, ['bills:read']],
    ['scopes of two resources', ['orders:read', 'bills:read'], [], ceiling, 'invalid_scope'],
    ['a scope of another resource than the audience', ['bills:read'], ['orders'], ceiling, 'invalid_scope'],
    ['two audiences', ['orders:read'], ['orders', 'bills'], ceiling, 'invalid_target'],
    ['an unknown audience', [], ['other'], ceiling, 'invalid_target'],
    ['nothing for the platform', ['p1:read:user'], [], ceiling, 'invalid_scope'],
    ['nothing of OpenID Connect', ['openid'], [], ceiling, 'invalid_scope'],
    ['no offline access', ['orders:read', 'offline_access'], [], ceiling, 'invalid_scope'],
    ['more than the client has', ['orders:write'], [], { ...ceiling, granted: [bills] }, 'invalid_scope'],
    ['more than the holder has', ['orders:write'], [], ofHolders([resource('orders', 'orders:read')]), 'invalid_scope'],
    ['all that both have', [], ['orders'], ofHolders([resource('orders', 'orders:read')]), ['orders:read']],
    ['a holder who has nothing', [], ['orders'], ofHolders([bills]), 'invalid_scope'],
    [
      'any holder on the way',
      ['orders:write'],
      [],
      ofHolders(all, [resource('orders', 'orders:read')]),
      'invalid_scope',
    ],
    [
      'the same name at another resource',
      ['orders:read'],
      [],
      ofHolders([resource('x', 'orders:read')]),
      'invalid_scope',
    ],
    ['more than was consented to', ['orders:write'], [], { ...ceiling, consented: ['orders:read'] }, 'invalid_scope'],
    ['what was consented to', [], ['orders'], { ...ceiling, consented: ['openid', 'orders:read'] }, ['orders:read']],
  ]
  for (const [what, requested, targets, given, expected] of table) {
    test(what, () => {
      const grant = exchangedGrant(requested, targets, given)
      assert.deepEqual('refused' in grant ? grant.error : grant.scopes, expected)
      if (!('refused' in grant)) assert.equal(grant.audiences.length, 1)
    })
  }

  test('never more than any of them has, whatever is asked', () => {
    const names = ['a', 'b', 'c', 'openid', 'p1:read:user']
    const some = fc.subarray(names)
    const granted = fc
      .tuple(some, some)
      .map(([one, two]) => [resource('one', ...one), resource('two', ...two), platform])
    fc.assert(
      fc.property(
        some,
        fc.subarray(['one', 'two']),
        granted,
        fc.array(granted, { maxLength: 3 }),
        (asked, targets, mine, holders) => {
          const grant = exchangedGrant(asked, targets, { granted: mine, holders, consented: undefined })
          if ('refused' in grant) return
          const [audience] = grant.audiences
          for (const name of grant.scopes) {
            for (const each of [mine, ...holders]) {
              assert.ok(
                each.some((own) => own.type === 'CUSTOM' && own.audience === audience && own.scopes.includes(name)),
              )
            }
          }
        },
      ),
    )
  })
})

suite('act', () => {
  const agent = { sub: 'agent', clientId: 'agent' }
  test('names the actor, and whoever acted before', () => {
    assert.deepEqual(actOf(agent, undefined), { sub: 'agent' })
    assert.deepEqual(actOf(agent, { sub: 'front' }), { sub: 'agent', act: { sub: 'front' } })
    assert.deepEqual(actOf(undefined, { sub: 'front' }), { sub: 'front' })
    assert.equal(actOf(undefined, undefined), undefined)
  })
  test('does not grow without end', () => {
    let act = actOf(agent, undefined)
    for (let link = 1; link < 8; link++) act = act && !('refused' in act) ? actOf(agent, act) : undefined
    assert.ok(act && !('refused' in act))
    assert.ok('refused' in (actOf(agent, act) ?? {}))
  })
  test('is read as it was written, and nothing else is', () => {
    const act = { sub: 'b', act: { sub: 'a' } }
    assert.deepEqual(readAct({ ...act, other: 1 }), act)
    for (const claim of [undefined, null, 'a', [], {}, { sub: 1 }]) assert.equal(readAct(claim), undefined)
  })
})

suite('may_act', () => {
  const actor = { sub: 'user', clientId: 'agent' }
  const table: readonly [claim: unknown, boolean][] = [
    [undefined, true],
    [{ sub: 'user' }, true],
    [{ sub: 'user', iss: 'https://op' }, true],
    [{ client_id: 'agent' }, true],
    [{ sub: 'user', client_id: 'agent' }, true],
    [{ sub: 'user', client_id: 'other' }, false],
    [{ sub: 'other' }, false],
    [{ sub: 'user', iss: 'https://other' }, false],
    [{ iss: 'https://op' }, false],
    [{}, false],
    [null, false],
    ['user', false],
    [['user'], false],
    [[{ sub: 'user' }], false],
    [{ sub: ['user'] }, false],
  ]
  for (const [claim, allowed] of table) {
    test(`${JSON.stringify(claim)}: ${allowed}`, () => assert.equal(mayAct(claim, actor, 'https://op'), allowed))
  }
})
