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

  // A signature by a larger curve takes twenty times as long.
  for (const [namedCurve, hash, numberBytes, signatures] of [
    ['prime256v1', 'sha256', 32, 1000],
    ['secp384r1', 'sha384', 48, 100],
    ['secp521r1', 'sha512', 66, 100],
  ] as const) {
    test(`${namedCurve}: ${signatures} signatures agree with the form that node:crypto itself makes`, () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
      for (let n = 0; n < signatures; n++) {
        const input = Buffer.from(`message ${n}`)
        const der = sign(hash, input, privateKey)
        const jws = jwsFromDer(der, numberBytes)
        assert.equal(jws.length, 2 * numberBytes)
        assert.deepEqual(derFromJws(jws), der)
        if (n % 50 === 0) assert.ok(verify(hash, input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, jws))
      }
    })

    test(`${namedCurve}: there and back for numbers of every width, leading zeros included`, () => {
      const number = fc
        .tuple(
          fc.integer({ min: 0, max: numberBytes }),
          fc.uint8Array({ minLength: numberBytes, maxLength: numberBytes }),
        )
        // The first byte of a number of P-521 holds one bit.
        .map(([zeros, bytes]) =>
          Uint8Array.from(bytes, (byte, at) => (at < zeros ? 0 : at === 0 && numberBytes === 66 ? byte & 1 : byte)),
        )
      fc.assert(
        fc.property(number, number, (r, s) => {
          const jws = Buffer.concat([r, s])
          assert.deepEqual(jwsFromDer(derFromJws(jws), numberBytes), jws)
        }),
      )
    })
  }
})
