/** Signatures that are known to hold: rows F01, F02 where a token was read before. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { signJwt } from '../../src/keys/jws.ts'
import { holdsAsKnown } from '../../src/keys/proved-signatures.ts'
import { generateSigningKey, loadSigningKey, type SigningKey } from '../../src/keys/signing-key.ts'
import { verifyJwt } from '../../src/keys/verify-jwt.ts'
import { realWorld } from '../../src/world.ts'

const never = () => assert.fail('is verified again')
const holds = () => true

suite('signatures that are known to hold', () => {
  test('what holds is verified once for a key, what does not hold every time', () => {
    const [key, other] = [{}, {}]
    assert.equal(holdsAsKnown(key, 'a.b.c', holds), true)
    assert.equal(holdsAsKnown(key, 'a.b.c', never), true)
    for (const token of ['a.b.d', 'a.b.c.', 'a.b.', 'x.b.c']) {
      for (let time = 0; time < 2; time++)
        assert.equal(
          holdsAsKnown(key, token, () => false),
          false,
        )
    }
    let asked = 0
    const counted = () => (asked += 1) > 0
    assert.equal(holdsAsKnown(other, 'a.b.c', counted), true)
    assert.equal(asked, 1, 'of another key nothing is known')
  })

  test('only so many are kept, the newest', () => {
    const key = {}
    for (let at = 0; at < 10_000; at++) holdsAsKnown(key, `${at}`, holds)
    for (let at = 8_500; at < 10_000; at++) assert.equal(holdsAsKnown(key, `${at}`, never), true)
    let verified = 0
    for (let at = 0; at < 6_000; at++) holdsAsKnown(key, `${at}`, () => (verified += 1) > 0)
    assert.equal(verified, 6_000)
  })

  test('a token that was read is judged anew in all but its signature', async () => {
    const newKey = async (): Promise<SigningKey> => {
      const { record, pkcs8 } = await generateSigningKey(realWorld, 'ES256')
      return loadSigningKey(record, pkcs8)
    }
    const [key, next] = [await newKey(), await newKey()]
    const now = Date.UTC(2026, 10, 26)
    const token = await signJwt(key, { sub: 'u', exp: now / 1000 + 60 }, { typ: 'at+jwt' })
    const reasonOf = (text: string, by: SigningKey = key, at = now, typ = 'at+jwt') => {
      const verdict = verifyJwt(text, { key: () => by, algorithms: ['ES256'], typ: [typ], now: at })
      return verdict.ok ? 'ok' : verdict.reason
    }
    for (let time = 0; time < 2; time++) {
      assert.equal(reasonOf(token), 'ok')
      assert.equal(reasonOf(token, next), 'signature')
      assert.equal(reasonOf(token, key, now + 60_000), 'expired')
      assert.equal(reasonOf(token, key, now, 'logout+jwt'), 'typ')
      const [head = '', , signature = ''] = token.split('.')
      const claims = Buffer.from(JSON.stringify({ sub: 'v', exp: now / 1000 + 60 })).toString('base64url')
      assert.equal(reasonOf(`${head}.${claims}.${signature}`), 'signature')
    }
  })
})
