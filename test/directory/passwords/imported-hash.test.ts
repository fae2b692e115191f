import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isEncoded, readImportedHash } from '../../../src/directory/passwords/imported-hash.ts'
import { legacyDigest } from '../../../src/directory/passwords/legacy-digest.ts'
import { vectorPassword, vectors } from './vectors.ts'

const digest = 'A'.repeat(43)
const salt = 'c2FsdHNhbHQ'

suite('imported passwords', () => {
  for (const text of vectors) {
    test(`${text.slice(0, 32)}… is read, and its digest is the one that is computed`, async () => {
      assert.ok(isEncoded(text))
      const imported = readImportedHash(text)
      assert(imported?.kind === 'legacy')
      const right = await legacyDigest(imported.kdf, Buffer.from(vectorPassword))
      assert.deepEqual(Buffer.from(right ?? []), Buffer.from(imported.digest))
      const wrong = await legacyDigest(imported.kdf, Buffer.from(`${vectorPassword}.`))
      assert.notDeepEqual(Buffer.from(wrong ?? []), Buffer.from(imported.digest))
    })
  }

  test('argon2id is taken as it is', () => {
    const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    assert.deepEqual(readImportedHash(hash), { kind: 'argon2id', hash })
    assert.deepEqual(readImportedHash(`{ARGON2}${hash}`), { kind: 'argon2id', hash })
  })

  for (const [what, text] of Object.entries({
    'bcrypt of cost 31': '$2b$31$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q',
    'bcrypt of cost 15': '{BCRYPT}$2b$15$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q',
    'bcrypt of cost 3': '$2b$03$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q',
    'the faulty version of bcrypt': '$2x$05$abcdefghijklmnopqrstuuo5JLH.ZPBwrhflpufPRCZUx0ooaG20q',
    'bcrypt that is cut off': '$2b$10$abcdefghijklmnopqrstuuo5JLH.',
    'argon2id of 4 GiB': `$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$${digest}`,
    argon2i: `$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$${digest}`,
    'argon2id whose digest is no base64 of whole bytes': `$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$${digest}AA`,
    'PBKDF2 of 10^9 iterations': `{PBKDF2-SHA256}1000000000$${salt}$${digest}`,
    'PBKDF2 whose blocks pass the bound together': `{PBKDF2-SHA256}1500000$${salt}$${'A'.repeat(86)}`,
    'PBKDF2 without iterations': `{PBKDF2-SHA256}0$${salt}$${digest}`,
    'PBKDF2 with MD5': `{PBKDF2-MD5}1000$${salt}$${digest}`,
    'PBKDF2 with a short digest': `{PBKDF2-SHA256}1000$${salt}$AAAA`,
    'scrypt of N = 2^20': `$scrypt$ln=20,r=8,p=1$${salt}$${digest}`,
    'scrypt of too many lanes': `$scrypt$ln=17,r=8,p=2$${salt}$${digest}`,
    'a digest without salt': '{SSHA}rbqv3C1oHqfpUIOyiwcGnMLWL/g=',
    'an unsalted kind': '{SHA}rbqv3C1oHqfpUIOyiwcGnMLWL/g=',
    'a digest that is too short': '{SSHA512}aGFzaA==',
    'no base64': '{SSHA}!!!!',
    'an unknown kind': '{MD5}rbqv3C1oHqfpUIOyiwcGnA==',
    sha512crypt: `$6$saltsalt$${'a'.repeat(86)}`,
    'a long text': `{SSHA}${'A'.repeat(600)}`,
  })) {
    test(`K26: ${what} is encoded, and refused`, () => {
      assert.ok(isEncoded(text))
      assert.equal(readImportedHash(text), undefined)
    })
  }

  test('what people type is not encoded', () => {
    for (const text of [vectorPassword, '{curly', '$money$', '$5$cheap', '$2', '{}', 'a{SSHA}b', '$1$2$3']) {
      assert.equal(isEncoded(text), false, text)
    }
  })

  test('whatever is read was recognised as encoded, and nothing makes reading throw', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...vectors), fc.nat(120), fc.string({ maxLength: 6 }))
      .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at + piece.length))
    fc.assert(
      fc.property(fc.oneof(fc.string(), mutated), (text) => {
        if (readImportedHash(text)) assert.ok(isEncoded(text))
      }),
    )
  })

  test('K23: bcrypt does not look beyond 72 bytes, so no longer password is right', async () => {
    const imported = readImportedHash(vectors.find((text) => text.startsWith('$2b$')) ?? '')
    assert(imported?.kind === 'legacy')
    assert.ok(await legacyDigest(imported.kdf, Buffer.from('p'.repeat(72))))
    assert.equal(await legacyDigest(imported.kdf, Buffer.from('p'.repeat(73))), undefined)
  })
})
