/**
 * Algorithm and type confusion, over every algorithm: security catalogue group F, RFC 8725 sections 2.1 and 3.1. The keys
 * of the six RSA algorithms share their numbers here, so that nothing but the algorithm can tell them apart.
 */
import assert from 'node:assert/strict'
import { constants, createHmac, type KeyObject, sign } from 'node:crypto'
import { suite, test } from 'node:test'
import {
  hashOf,
  hmacAlgorithms,
  type JwsAlgorithm,
  schemeOf,
  type SigningAlgorithm,
  signingAlgorithms,
} from '../../src/keys/algorithm.ts'
import { hmacKey } from '../../src/keys/hmac-key.ts'
import { signJwt } from '../../src/keys/jws.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { type JwtExpectations, verifyJwt } from '../../src/keys/verify-jwt.ts'
import { keyOfEach } from './every-algorithm.ts'

const now = Date.UTC(2026, 10, 22)
const good = { sub: 'u', exp: now / 1000 + 60 }
const keys = await keyOfEach()
const everything: readonly JwsAlgorithm[] = [...signingAlgorithms, ...hmacAlgorithms]
const expectations: JwtExpectations = {
  key: (kid) => Object.values(keys).find((key) => key.kid === kid),
  algorithms: everything,
  typ: ['at+jwt'],
  now,
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const inputOf = (header: object, claims: object = good) => `${encode(header)}.${encode(claims)}`
const reasonOf = (token: string, change: Partial<JwtExpectations> = {}) => {
  const verdict = verifyJwt(token, { ...expectations, ...change })
  return verdict.ok ? 'ok' : verdict.reason
}

/** A signature as an algorithm makes it, by a key that may be of another; undefined where the key cannot do that. */
function signatureBy(algorithm: SigningAlgorithm, key: KeyObject, input: string): Buffer | undefined {
  const scheme = schemeOf(algorithm)
  const kinds = { RSA: 'rsa', EC: 'ec', OKP: 'ed25519' } as const
  if (key.asymmetricKeyType !== kinds[scheme.kty]) return undefined
  const bytes = Buffer.from(input)
  switch (scheme.kty) {
    case 'RSA':
      return sign(scheme.hash, bytes, {
        key,
        padding: scheme.padding === 'pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    case 'EC':
      return sign(scheme.hash, bytes, { key, dsaEncoding: 'ieee-p1363' })
    case 'OKP':
      return sign(null, bytes, key)
  }
}

function tokenOf(header: { readonly alg: string }, key: SigningKey, algorithm: SigningAlgorithm): string | undefined {
  const input = inputOf({ kid: key.kid, alg: header.alg, typ: 'at+jwt' })
  const signature = signatureBy(algorithm, key.privateKey, input)
  return signature && `${input}.${signature.toString('base64url')}`
}

suite('confusion of algorithms', () => {
  test('the diagonal is accepted, whoever makes the signature', async () => {
    for (const algorithm of signingAlgorithms) {
      const key = keys[algorithm]
      assert.equal(reasonOf(await signJwt(key, good, { typ: 'at+jwt' })), 'ok', algorithm)
      assert.equal(reasonOf(tokenOf({ alg: algorithm }, key, algorithm) ?? ''), 'ok', algorithm)
    }
  })

  for (const algorithm of signingAlgorithms) {
    test(`F02: a key of ${algorithm} verifies nothing that says or does something else`, () => {
      const key = keys[algorithm]
      for (const other of signingAlgorithms.filter((name) => name !== algorithm)) {
        const says = tokenOf({ alg: other }, key, algorithm) ?? assert.fail('a key signs by its own algorithm')
        assert.equal(reasonOf(says), 'algorithm', `says ${other}`)
        const does = tokenOf({ alg: algorithm }, key, other)
        if (does) assert.equal(reasonOf(does), 'signature', `does ${other}`)
        const both = tokenOf({ alg: other }, key, other)
        if (both) assert.equal(reasonOf(both), 'algorithm', `is ${other}`)
      }
    })

    test(`F02: an HMAC keyed with any spelling of the public key of ${algorithm} is refused`, () => {
      const { publicKey, jwk, kid } = keys[algorithm]
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
      const spellings = [
        pem,
        pem.trim(),
        `\n ${pem}`,
        publicKey.export({ type: 'spki', format: 'der' }),
        JSON.stringify(jwk),
        JSON.stringify(publicKey.export({ format: 'jwk' })),
        jwk.x5c[0],
        Buffer.from(jwk.x5c[0], 'base64'),
        jwk.n ?? jwk.x ?? '',
        '',
      ]
      for (const alg of hmacAlgorithms) {
        for (const spelling of spellings) {
          const input = inputOf({ kid, alg, typ: 'at+jwt' })
          const mac = createHmac(hashOf(alg), spelling).update(input).digest('base64url')
          assert.equal(reasonOf(`${input}.${mac}`), 'algorithm')
          const own = inputOf({ kid, alg: algorithm, typ: 'at+jwt' })
          const ownMac = createHmac(hashOf(alg), spelling).update(own).digest('base64url')
          assert.equal(reasonOf(`${own}.${ownMac}`), 'signature')
        }
      }
    })

    test(`F01, F09: ${algorithm} counts only where the kind of token may be signed by it`, async () => {
      const token = await signJwt(keys[algorithm], good, { typ: 'at+jwt' })
      const others = everything.filter((name) => name !== algorithm)
      assert.equal(reasonOf(token, { algorithms: others }), 'algorithm')
      assert.equal(reasonOf(token, { typ: [undefined, 'JWT', 'logout+jwt'] }), 'typ')
    })

    test(`F06: signatures of ${algorithm} of every wrong length or of nothing are refused`, async () => {
      const [head, body, signature = ''] = (await signJwt(keys[algorithm], good, { typ: 'at+jwt' })).split('.')
      const raw = Buffer.from(signature, 'base64url')
      const { length } = raw
      const forged = [
        raw.subarray(1),
        raw.subarray(0, -1),
        Buffer.concat([raw, Buffer.alloc(1)]),
        Buffer.concat([Buffer.alloc(1), raw]),
        Buffer.concat([raw, raw]),
        Buffer.alloc(length),
        Buffer.alloc(length, 0xff),
        Buffer.alloc(1),
      ]
      for (const bytes of forged) assert.equal(reasonOf(`${head}.${body}.${bytes.toString('base64url')}`), 'signature')
    })
  }

  test('F06: a signature of RSA without its leading zero byte is refused', () => {
    for (const algorithm of signingAlgorithms.filter((name) => /^(PS|RS)/.test(name))) {
      const { kid, privateKey } = keys[algorithm]
      let input = ''
      let signature: Buffer | undefined
      for (let jti = 0; signature?.[0] !== 0; jti++) {
        input = inputOf({ kid, alg: algorithm, typ: 'at+jwt' }, { ...good, jti: `${jti}` })
        signature = signatureBy(algorithm, privateKey, input)
      }
      assert.equal(reasonOf(`${input}.${signature.toString('base64url')}`), 'ok')
      assert.equal(reasonOf(`${input}.${signature.subarray(1).toString('base64url')}`), 'signature', algorithm)
    }
  })

  for (const algorithm of hmacAlgorithms) {
    test(`a secret of ${algorithm} verifies that and nothing else`, async () => {
      const key = hmacKey('CANARY'.repeat(12), algorithm)
      const token = await signJwt(key, good)
      const at = { typ: [undefined], key: () => key }
      assert.equal(reasonOf(token, at), 'ok')
      for (const alg of hmacAlgorithms.filter((name) => name !== algorithm)) {
        const input = inputOf({ alg })
        const says = `${input}.${createHmac(hashOf(alg), key.secret).update(input).digest('base64url')}`
        assert.equal(reasonOf(says, at), 'algorithm')
        const own = inputOf({ alg: algorithm })
        const does = `${own}.${createHmac(hashOf(alg), key.secret).update(own).digest('base64url')}`
        assert.equal(reasonOf(does, at), 'signature')
      }
    })
  }

  test('F06: a DER signature is none, on any curve', () => {
    for (const algorithm of ['ES256', 'ES384', 'ES512'] as const) {
      const { kid, privateKey } = keys[algorithm]
      const input = inputOf({ kid, alg: algorithm, typ: 'at+jwt' })
      const der = sign(hashOf(algorithm), Buffer.from(input), privateKey)
      assert.equal(reasonOf(`${input}.${der.toString('base64url')}`), 'signature')
    }
  })

  test('F06: PSS with a salt that is not as long as the hash is refused', () => {
    for (const algorithm of ['PS256', 'PS384', 'PS512'] as const) {
      const { kid, privateKey: key } = keys[algorithm]
      const input = inputOf({ kid, alg: algorithm, typ: 'at+jwt' })
      for (const saltLength of [0, 20, constants.RSA_PSS_SALTLEN_MAX_SIGN]) {
        const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
        const signature = sign(hashOf(algorithm), Buffer.from(input), options)
        assert.equal(reasonOf(`${input}.${signature.toString('base64url')}`), 'signature')
      }
    }
  })

  test('F06, F07: Ed25519 signatures of small points, and s beyond the order, are refused', async () => {
    const [head, body, signature = ''] = (await signJwt(keys.EdDSA, good, { typ: 'at+jwt' })).split('.')
    const raw = Buffer.from(signature, 'base64url')
    const identity = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)])
    const order8 = Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex')
    // s and s + L are the same number modulo L: the second would be another spelling of the signature.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${Buffer.from(raw.subarray(32).toReversed()).toString('hex')}`)
    const beyond = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').toReversed()
    const forged = [
      Buffer.concat([identity, Buffer.alloc(32)]),
      Buffer.concat([order8, Buffer.alloc(32)]),
      Buffer.concat([raw.subarray(0, 32), beyond]),
      Buffer.concat([raw.subarray(0, 32), Buffer.alloc(32)]),
    ]
    for (const bytes of forged) assert.equal(reasonOf(`${head}.${body}.${bytes.toString('base64url')}`), 'signature')
  })
})
