/** Key sets are made once for their value: what has been imported of them stays (src/keys/key-set.ts). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CompactSign, compactVerify, errors, type JSONWebKeySet } from 'jose'
import { keySetOf } from '../../src/keys/key-set.ts'
import { type ClientKey, clientKey, keySet } from '../oauth/assertions.ts'

suite('key sets', () => {
  const valueOf = (...keys: readonly ClientKey[]) => JSON.parse(keySet(...keys)) as JSONWebKeySet
  const signedBy = ({ privateKey, jwk }: ClientKey) =>
    new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg: 'ES256', kid: String(jwk['kid']) }).sign(privateKey)
  const verifies = async (jws: string, value: JSONWebKeySet) => {
    await compactVerify(jws, await keySetOf(value))
  }

  test('a key is imported once, however often it verifies', async (t) => {
    const { mock } = t.mock.method(crypto.subtle, 'importKey')
    const key = clientKey('ES256', 'one')
    const value = valueOf(key)
    const jws = await signedBy(key)
    const before = mock.callCount()
    await verifies(jws, value)
    const imports = mock.callCount() - before
    for (let times = 0; times < 10; times++) await verifies(jws, value)
    assert.equal(imports, 1)
    assert.equal(mock.callCount() - before, imports)
  })

  test('another value has its own keys, whatever their names', async () => {
    const [mine, theirs] = [clientKey('ES256', 'same'), clientKey('ES256', 'same')]
    const jws = await signedBy(mine)
    await verifies(jws, valueOf(mine))
    await assert.rejects(verifies(jws, valueOf(theirs)), errors.JWSSignatureVerificationFailed)
  })

  test('what is no key set is refused each time', async () => {
    const value = { keys: 'none' } as unknown as JSONWebKeySet
    for (let times = 0; times < 2; times++) await assert.rejects(keySetOf(value), errors.JWKSInvalid)
  })
})
