/** What a refresh token is worth, as tables and as a property: decisions D4 and D21, rows E02, E03, E09, E29. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  narrowedScopes,
  type RefreshChain,
  type RefreshWorth,
  refreshBinding,
  refreshEnd,
  refreshWorth,
} from '../../../src/oauth/rules/refresh-token.ts'

const settings = {
  refreshTokenDuration: 1000,
  refreshTokenRollingDuration: 3000,
  additionalRefreshTokenReplayProtectionEnabled: true,
}
const first: RefreshChain = { generation: 1, createdAt: 0, rotatedAt: null, revokedAt: null }
const third: RefreshChain = { ...first, generation: 3, rotatedAt: 500_000 }

suite('who gets refresh tokens', () => {
  const both = ['AUTHORIZATION_CODE', 'REFRESH_TOKEN']
  const table: readonly [grantTypes: string[], scopes: string[], offered: boolean, unknown][] = [
    [['AUTHORIZATION_CODE'], ['openid', 'offline_access'], true, undefined],
    [both, ['openid'], false, 'session'],
    [both, [], false, 'session'],
    [both, ['openid'], true, undefined],
    [both, ['openid', 'offline_access'], true, 'offline'],
  ]
  for (const [grantTypes, scopes, offered, expected] of table) {
    test(`${grantTypes.join()} with ${scopes.join() || 'nothing'}, offline ${offered ? '' : 'not '}granted`, () =>
      assert.equal(refreshBinding(grantTypes, scopes, offered), expected))
  }
})

suite('E09: a refresh token ends by lying idle, and with its chain', () => {
  test('the first one idles out', () => assert.equal(refreshEnd(first, settings), 1_000_000))
  test('a later one counts from its own beginning', () => assert.equal(refreshEnd(third, settings), 1_500_000))
  test('the chain ends whenever the last one was made', () =>
    assert.equal(refreshEnd({ ...third, rotatedAt: 2_900_000 }, settings), 3_000_000))
})

suite('what a presented token is worth', () => {
  const table: readonly [what: string, RefreshChain, generation: number, now: number, RefreshWorth][] = [
    ['the present one', first, 1, 999_999, 'current'],
    ['the present one, idle for too long', first, 1, 1_000_000, 'dead'],
    ['one that was never given', first, 2, 0, 'dead'],
    ['the present one of a revoked chain', { ...first, revokedAt: 1 }, 1, 1, 'dead'],
    ['an old one of a revoked chain', { ...third, revokedAt: 1 }, 1, 1, 'dead'],
    ['any of a chain whose tokens were ended', { ...third, generation: 0 }, 3, 1, 'dead'],
    ['the predecessor, at once', third, 2, 500_000, 'predecessor'],
    ['the predecessor, by a clock that is behind', third, 2, 499_000, 'predecessor'],
    ['the predecessor, within ten seconds', third, 2, 509_999, 'predecessor'],
    ['E01: the predecessor, after ten seconds', third, 2, 510_000, 'replayed'],
    ['E29: the one before the predecessor, at once', third, 1, 500_000, 'replayed'],
  ]
  for (const [what, chain, generation, now, worth] of table) {
    test(`${what}: ${worth}`, () => assert.equal(refreshWorth(chain, generation, settings, now), worth))
  }

  test('E03: without grace a predecessor is replayed in the very millisecond of its rotation', () => {
    const strict = { ...settings, refreshTokenRollingGracePeriodDuration: 0 }
    assert.equal(refreshWorth(third, 2, strict, 500_000), 'replayed')
    assert.equal(refreshWorth(third, 2, strict, 499_999), 'replayed', 'taken up before the rotation, and too late')
    assert.equal(
      refreshWorth(third, 2, { ...strict, refreshTokenRollingGracePeriodDuration: 60 }, 559_999),
      'predecessor',
    )
  })

  test('E02: of all tokens of a chain one is current, and only its predecessor leads there', () => {
    const chains = fc.record({
      generation: fc.integer({ min: 0, max: 50 }),
      createdAt: fc.constant(0),
      rotatedAt: fc.option(fc.integer({ min: 0, max: 3_000_000 })),
      revokedAt: fc.option(fc.constant(1)),
    })
    fc.assert(
      fc.property(chains, fc.integer({ min: 0, max: 3_000_000 }), (chain, now) => {
        const worth = Array.from({ length: 60 }, (_, at) => refreshWorth(chain, at + 1, settings, now))
        const good = worth.flatMap((each, at) => (each === 'current' || each === 'predecessor' ? [at + 1] : []))
        assert.ok(good.every((generation) => generation === chain.generation || generation === chain.generation - 1))
        if (chain.generation === 0 || chain.revokedAt !== null) assert.deepEqual(good, [])
      }),
    )
  })
})

suite('E06: scopes of a refresh', () => {
  const granted = ['openid', 'profile']
  const table: readonly [what: string, requested: string[], leftOut: string[], string[] | undefined][] = [
    ['none are all', [], [], granted],
    ['fewer', ['profile'], [], ['profile']],
    ['all, in another order', ['profile', 'openid'], [], granted],
    ['one more', ['openid', 'email'], [], undefined],
    ['what was asked for and not granted is passed over', ['openid', 'email'], ['email'], ['openid']],
    ['nothing but what was not granted', ['email'], ['email'], undefined],
  ]
  for (const [what, requested, leftOut, expected] of table) {
    test(what, () => {
      const narrowed = narrowedScopes(requested, granted, leftOut)
      assert.deepEqual('refused' in narrowed ? undefined : narrowed, expected)
    })
  }
})
