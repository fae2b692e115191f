import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readImportedHash } from '../../../src/directory/passwords/imported-hash.ts'
import { currentCost, dummyHash } from '../../../src/directory/passwords/phc.ts'
import { needsRehash, readStoredHash, storedHash } from '../../../src/directory/passwords/stored-hash.ts'
import { vectors } from './vectors.ts'

const dummy = dummyHash(currentCost)

suite('stored passwords', () => {
  test('what is written of an imported password is read back, and asks to be replaced', () => {
    for (const text of vectors) {
      const imported = readImportedHash(text)
      assert(imported?.kind === 'legacy')
      const stored = storedHash(imported.kdf, dummy)
      assert.deepEqual(readStoredHash(stored), { legacy: imported.kdf, phc: dummy })
      assert.ok(needsRehash(stored, currentCost))
      assert.ok(!stored.includes(Buffer.from(imported.digest).toString('base64')))
    }
  })

  test('a current hash is read, and stays', () => {
    assert.deepEqual(readStoredHash(dummy), { phc: dummy })
    assert.equal(needsRehash(dummy, currentCost), false)
  })

  const pbkdf2 = { kdf: 'pbkdf2', hash: 'sha256', iterations: 1000, length: 32, salt: 'c2FsdHNhbHQ=' }
  for (const [what, text] of Object.entries({
    'a kdf beyond the bounds': JSON.stringify({ ...pbkdf2, iterations: 1_000_000_000 }) + dummy,
    'an unknown kdf': JSON.stringify({ ...pbkdf2, kdf: 'md5' }) + dummy,
    'a member too many': JSON.stringify({ ...pbkdf2, more: true }) + dummy,
    'no JSON': `garbage${dummy}`,
    'argon2id beyond the bounds': JSON.stringify(pbkdf2) + dummy.replace('m=19456', 'm=4194304'),
    'no argon2id': JSON.stringify(pbkdf2),
    'a legacy text as it came': vectors[0] ?? '',
  })) {
    test(`K26: ${what} is never computed`, () => assert.equal(readStoredHash(text), undefined))
  }
})
