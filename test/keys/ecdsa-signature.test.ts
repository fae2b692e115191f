import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { derFromJws, jwsFromDer } from '../../src/keys/ecdsa-signature.ts'

suite('the two forms of an ECDSA signature', () => {
  test('RFC 7515 appendix A.3: the example signature holds in DER', () => {
    const publicKey = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    })
    const input =
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
    const signature = Buffer.from(
      'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
      'base64url',
    )
    assert.ok(verify('sha256', Buffer.from(input), publicKey, derFromJws(signature)))
  })

  test('a thousand signatures agree with the form that node:crypto itself makes', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (let n = 0; n < 1000; n++) {
      const input = Buffer.from(`message ${n}`)
      const der = sign('sha256', input, privateKey)
      const jws = jwsFromDer(der)
      assert.equal(jws.length, 64)
      assert.deepEqual(derFromJws(jws), der)
      if (n % 50 === 0) assert.ok(verify('sha256', input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, jws))
    }
  })

  test('there and back for numbers of every width, leading zeros included', () => {
    const number = fc
      .tuple(fc.integer({ min: 0, max: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }))
      .map(([zeros, bytes]) => bytes.fill(0, 0, zeros))
    fc.assert(
      fc.property(number, number, (r, s) => {
        const jws = Buffer.concat([r, s])
        assert.deepEqual(jwsFromDer(derFromJws(jws)), jws)
      }),
    )
  })
})
