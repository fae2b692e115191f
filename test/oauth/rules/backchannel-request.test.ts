/** What a backchannel authentication request may say: OpenID CIBA Core section 7.1, FAPI-CIBA section 5.2.2; row Q06. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  backchannelLife,
  hintNames,
  isBindingMessage,
  longestSignedLife,
  readHint,
  readRequestedExpiry,
  signedRequestProblem,
} from '../../../src/oauth/rules/backchannel-request.ts'
import { anyCharacter } from '../../harness/any-character.ts'

/** Something to be seen. */
const word = fc.string({ unit: fc.constantFrom(...'aZ09!~-€é№承認'), minLength: 1, maxLength: 20 })

suite('backchannel authentication requests', () => {
  test('a message is one line of at most 100 characters that are all seen, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 120 }), (message) => {
        if (!isBindingMessage(message)) return
        assert.ok(message.length > 0 && message.length <= 100)
        assert.ok(message.isWellFormed())
        assert.doesNotMatch(message, /[\p{C}\p{Zl}\p{Zp}]|[^\P{Zs} ]|^ | $| {2}/u)
      }),
    )
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
        assert.ok(isBindingMessage(words.join(' ')))
      }),
    )
  })

  test('how long: as asked for, up to the longest', () => {
    assert.equal(readRequestedExpiry(undefined), backchannelLife.standard)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (seconds) => {
        assert.equal(readRequestedExpiry(String(seconds)), Math.min(seconds, backchannelLife.longest))
      }),
    )
    for (const wrong of ['', '0', '-5', '1e3', ' 5', '5 ', '05', '9'.repeat(10)]) {
      assert.equal(readRequestedExpiry(wrong), undefined, wrong)
    }
  })

  test('exactly one hint', () => {
    fc.assert(
      fc.property(fc.subarray([...hintNames]), (names) => {
        const hint = readHint({ scope: 'openid', ...Object.fromEntries(names.map((name) => [name, `the ${name}`])) })
        const [name] = names
        assert.deepEqual(hint, names.length === 1 ? { name, value: `the ${name}` } : undefined)
      }),
    )
  })

  test('a signed request says when it begins, is none of an assertion, and lives no longer than an hour', () => {
    const claims = { iss: 'client', iat: 1000, nbf: 1000, exp: 1060 }
    const table: readonly (readonly [change: object, isFine: boolean])[] = [
      [{}, true],
      [{ exp: 1000 + longestSignedLife }, true],
      [{ exp: 1001 + longestSignedLife }, false],
      [{ sub: 'somebody' }, true],
      [{ sub: 'client' }, false],
      [{ iat: undefined }, false],
      [{ nbf: undefined }, false],
      [{ exp: undefined }, false],
      [{ exp: '1060' }, false],
    ]
    for (const [change, isFine] of table) {
      const problem = signedRequestProblem({ ...claims, ...change }, 'client')
      assert.equal(problem === undefined, isFine, JSON.stringify(change))
    }
  })
})
