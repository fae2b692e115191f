import assert from 'node:assert/strict'
import { createHmac, createPublicKey, sign } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type HmacKey, hmacKey } from '../../src/keys/hmac-key.ts'
import { signJwt } from '../../src/keys/jws.ts'
import {
  generateSigningKey,
  loadSigningKey,
  type PublicVerificationKey,
  type SigningKey,
} from '../../src/keys/signing-key.ts'
import { type JwtExpectations, verifyJwt } from '../../src/keys/verify-jwt.ts'
import { realWorld } from '../../src/world.ts'
import { anyCharacter } from '../harness/any-character.ts'

const now = Date.UTC(2026, 10, 22)
const seconds = now / 1000
const good = { sub: 'u', iat: seconds, exp: seconds + 60 }

async function newKey(algorithm: 'RS256' | 'ES256'): Promise<SigningKey> {
  const { record, pkcs8 } = await generateSigningKey(realWorld, algorithm)
  return loadSigningKey(record, pkcs8)
}

const rsa = await newKey('RS256')
const ec = await newKey('ES256')
const shared = hmacKey('CANARY'.repeat(8))
const keys = new Map<string | undefined, PublicVerificationKey | HmacKey>([
  [rsa.kid, rsa],
  [ec.kid, ec],
])
const expectations: JwtExpectations = {
  key: (kid) => keys.get(kid),
  algorithms: ['RS256', 'ES256'],
  typ: ['at+jwt'],
  now,
}

const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token whose header and payload are exactly these texts, signed by our own EC key: only its shape can be wrong. */
function signedByUs(header: string | object, payload: string | object = good): string {
  const input = `${encode(header)}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

const header = { kid: ec.kid, alg: 'ES256', typ: 'at+jwt' }
const reasonOf = (token: string, change: Partial<JwtExpectations> = {}) => {
  const verdict = verifyJwt(token, { ...expectations, ...change })
  return verdict.ok ? 'ok' : verdict.reason
}

suite('verification of our own tokens', () => {
  test('the reference tokens are accepted', async () => {
    assert.equal(reasonOf(signedByUs(header)), 'ok')
    for (const key of [rsa, ec]) {
      const verdict = verifyJwt(await signJwt(key, good, { typ: 'at+jwt' }), expectations)
      assert.deepEqual(verdict, { ok: true, kid: key.kid, claims: good })
    }
    assert.equal(reasonOf(await signJwt(ec, good, { typ: 'at+jwt', includeX5t: true })), 'ok')
  })

  test('RFC 7515 appendices A.2 and A.3: the example tokens hold, A.1 is spelled in a way we never write', () => {
    const payload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
    const exampleRsa = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'RSA',
        n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
        e: 'AQAB',
      },
    })
    const exampleEc = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    })
    const at = { typ: [undefined], now: 1300819379_000 } as const
    const a2 = `eyJhbGciOiJSUzI1NiJ9.${payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`
    const a3 = `eyJhbGciOiJFUzI1NiJ9.${payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`
    const a1 = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`
    assert.equal(reasonOf(a2, { ...at, key: () => ({ kid: '', algorithm: 'RS256', publicKey: exampleRsa }) }), 'ok')
    assert.equal(reasonOf(a3, { ...at, key: () => ({ kid: '', algorithm: 'ES256', publicKey: exampleEc }) }), 'ok')
    assert.equal(reasonOf(a1, { ...at, typ: ['JWT'], algorithms: ['HS256'], key: () => shared }), 'malformed')
  })

  for (const alg of ['none', 'None', 'nOnE', '', null, ['ES256'], 'ES384', 'HS256', 'es256', 'EdDSA']) {
    test(`F01: alg ${JSON.stringify(alg)} is refused`, () => {
      assert.notEqual(reasonOf(signedByUs({ ...header, alg })), 'ok')
      const [head, body] = signedByUs({ ...header, alg }).split('.')
      assert.equal(reasonOf(`${head}.${body}.`), 'malformed')
    })
  }

  test('F01: a header without alg is refused', () => {
    assert.equal(reasonOf(signedByUs({ kid: ec.kid, typ: 'at+jwt' })), 'malformed')
  })

  test('F02: HS256 keyed with any spelling of the public key is refused, even where HS256 is allowed', () => {
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const spellings: readonly (string | Buffer)[] = [
      pem,
      pem.trim(),
      ` \n${pem}`,
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      rsa.publicKey.export({ type: 'spki', format: 'der' }),
      rsa.publicKey.export({ type: 'pkcs1', format: 'der' }),
      JSON.stringify(rsa.jwk),
      rsa.jwk.x5c[0],
    ]
    for (const spelling of spellings) {
      const input = `${encode({ kid: rsa.kid, alg: 'HS256', typ: 'at+jwt' })}.${encode(good)}`
      const token = `${input}.${createHmac('sha256', spelling).update(input).digest('base64url')}`
      assert.equal(reasonOf(token), 'algorithm')
      assert.equal(reasonOf(token, { algorithms: ['RS256', 'ES256', 'HS256'] }), 'algorithm')
    }
  })

  test('F02: the header may not choose another algorithm than the key has', () => {
    assert.equal(reasonOf(signedByUs({ ...header, alg: 'RS256' })), 'algorithm')
    assert.equal(reasonOf(signedByUs({ ...header, kid: rsa.kid })), 'algorithm')
  })

  for (const kid of [
    '../../dev/null',
    "' OR 1=1--",
    'https://evil.test/k',
    '__proto__',
    'constructor',
    '',
    'x'.repeat(9000),
  ]) {
    test(`F03: kid ${JSON.stringify(kid.slice(0, 20))} is refused`, () => {
      assert.equal(reasonOf(signedByUs({ ...header, kid })), 'unknown_key')
    })
  }

  test('F03: kid of another type, of another key, or absent is refused', async () => {
    for (const kid of [null, 1, [ec.kid], { toString: ec.kid }]) {
      assert.equal(reasonOf(signedByUs({ ...header, kid })), 'malformed')
    }
    assert.equal(reasonOf(signedByUs({ alg: 'ES256', typ: 'at+jwt' })), 'unknown_key')
    const twin = await newKey('ES256')
    assert.equal(reasonOf(await signJwt({ ...twin, kid: ec.kid }, good, { typ: 'at+jwt' })), 'signature')
  })

  for (const [name, value] of Object.entries({
    jwk: ec.jwk,
    jku: 'https://evil.test/jwks',
    x5u: 'https://evil.test/c',
    x5c: ec.jwk.x5c,
    crit: ['exp'],
    b64: false,
    zip: 'DEF',
    enc: 'A256GCM',
    cty: 'JWT',
    'x5t#S256': 'AA',
  })) {
    test(`F04, F05: a header with ${name} is refused, although its signature holds`, () => {
      assert.equal(reasonOf(signedByUs({ ...header, [name]: value })), 'malformed')
    })
  }

  test('F06: r and s of zero, DER, other lengths and a swapped key give no signature', () => {
    const [head, body, signature = ''] = signedByUs(header).split('.')
    const der = sign('sha256', Buffer.from(`${head}.${body}`), ec.privateKey)
    const raw = Buffer.from(signature, 'base64url')
    const forged = [
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      der,
      raw.subarray(1),
      Buffer.concat([raw, Buffer.alloc(1)]),
    ]
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    forged.push(Buffer.concat([order, order]), Buffer.concat([Buffer.alloc(32), raw.subarray(32)]))
    for (const bytes of forged) assert.equal(reasonOf(`${head}.${body}.${bytes.toString('base64url')}`), 'signature')
  })

  test('F07: a signature without a leading zero of s is another spelling, and refused', () => {
    let token: string
    let raw: Buffer
    do {
      token = signedByUs(header)
      raw = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
    } while (raw[32] !== 0)
    const shorter = Buffer.concat([raw.subarray(0, 32), raw.subarray(33)]).toString('base64url')
    assert.equal(reasonOf(token), 'ok')
    assert.equal(reasonOf(token.slice(0, token.lastIndexOf('.') + 1) + shorter), 'signature')
  })

  test('F06: RS256 signatures of every wrong length are refused without an exception', async () => {
    const [head, body, signature = ''] = (await signJwt(rsa, good, { typ: 'at+jwt' })).split('.')
    const raw = Buffer.from(signature, 'base64url')
    for (const bytes of [
      raw.subarray(1),
      Buffer.concat([raw, raw]),
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      Buffer.alloc(1),
    ]) {
      assert.equal(reasonOf(`${head}.${body}.${bytes.toString('base64url')}`), 'signature')
    }
  })

  test('F07: an edited payload is refused', () => {
    const [head, , signature] = signedByUs(header).split('.')
    assert.equal(reasonOf(`${head}.${encode({ ...good, sub: 'admin' })}.${signature}`), 'signature')
  })

  test('F07: every other spelling of a good token is refused', () => {
    const token = signedByUs(header)
    const [head = '', body = '', signature = ''] = token.split('.')
    const lastBits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const strayBits = signature.slice(0, -1) + lastBits[lastBits.indexOf(signature.slice(-1)) ^ 1]
    const spellings = [
      `${token}.`,
      `.${token}`,
      `${token}.x.y.z`,
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      `${token} `,
      `${head}.${body}`,
      `${head}..${signature}`,
      `${head}.${body}.${strayBits}`,
      `${head}.${body}.${signature.replaceAll('-', '+').replaceAll('_', '/')}=`,
      `${head}=.${body}.${signature}`,
      `${head}.${body}.${signature}.${signature}.${signature}`,
    ]
    for (const spelling of spellings) assert.equal(reasonOf(spelling), 'malformed', spelling.slice(-20))
  })

  for (const [what, text] of Object.entries({
    'duplicate keys': `{"alg":"none",${JSON.stringify(header).slice(1)}`,
    'a byte order mark': `\ufeff${JSON.stringify(header)}`,
    'white space': JSON.stringify(header, null, 1),
    'trailing bytes': `${JSON.stringify(header)}x`,
    'an array': '[]',
    null: 'null',
    __proto__: `{"__proto__":{"alg":"ES256"},"kid":"${ec.kid}"}`,
    'nothing that is JSON': 'ES256',
    'nesting without end': '['.repeat(10_000),
  })) {
    test(`F07: a header with ${what} is refused`, () => assert.equal(reasonOf(signedByUs(text)), 'malformed'))
  }

  test('a token above 16 KB is refused before anything is decoded', () => {
    assert.equal(reasonOf(signedByUs(header, { ...good, fill: 'x'.repeat(17_000) })), 'malformed')
    assert.equal(reasonOf(signedByUs(header, { ...good, fill: 'x'.repeat(11_000) })), 'ok')
  })

  for (const exp of ['1', 1e99, null, -1, seconds + 0.5, [seconds + 60], undefined]) {
    test(`F08: exp ${JSON.stringify(exp)} is refused`, () => {
      assert.equal(reasonOf(signedByUs(header, { ...good, exp })), 'claims')
      assert.equal(reasonOf(signedByUs(header, { ...good, exp }), { expired: 'accept' }), 'claims')
    })
  }

  test('F08: times are judged to the second, with a skew for the clocks of other nodes alone', () => {
    assert.equal(reasonOf(signedByUs(header, { exp: seconds + 1 })), 'ok')
    assert.equal(reasonOf(signedByUs(header, { exp: seconds })), 'expired')
    assert.equal(reasonOf(signedByUs(header, { exp: 1 }), { expired: 'accept' }), 'ok')
    assert.equal(reasonOf(signedByUs(header, { ...good, iat: seconds + 60 })), 'ok')
    assert.equal(reasonOf(signedByUs(header, { ...good, iat: seconds + 61 })), 'claims')
    assert.equal(reasonOf(signedByUs(header, { ...good, nbf: seconds + 61 })), 'claims')
    assert.equal(reasonOf(signedByUs(header, { ...good, nbf: 'now' })), 'claims')
  })

  for (const payload of ['[]', 'null', '"text"', '1', '', 'not json']) {
    test(`claims that are ${payload || 'empty'} are refused`, () => {
      assert.notEqual(reasonOf(signedByUs(header, payload)), 'ok')
    })
  }

  test('F09: a token of one kind is refused where another is expected', async () => {
    const plain = await signJwt(ec, good)
    assert.equal(reasonOf(plain), 'typ')
    assert.equal(reasonOf(plain, { typ: [undefined, 'JWT'] }), 'ok')
    assert.equal(reasonOf(signedByUs({ ...header, typ: 'logout+jwt' })), 'typ')
    assert.equal(reasonOf(signedByUs({ ...header, typ: 'AT+JWT' })), 'typ')
  })

  test('F11: a key that is no longer published verifies nothing', () => {
    assert.equal(reasonOf(signedByUs(header), { key: () => undefined }), 'unknown_key')
  })

  test('no flipped character anywhere leaves a token valid', () => {
    const token = signedByUs(header)
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'a', '0', '9', '-', '_', '.', '+', ' ', '=', '\u0000', 'é'),
        (at, character) => {
          fc.pre(token[at] !== character)
          return reasonOf(token.slice(0, at) + character + token.slice(at + 1)) !== 'ok'
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('arbitrary text never throws and never passes', () => {
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => reasonOf(text) === 'malformed'))
  })
})
