import assert from 'node:assert/strict'
import { hkdfSync, randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { deriveKey, InvalidMasterKey, parseMasterKey, parseMasterKeys } from '../../src/keys/master-key.ts'

const bytes = randomBytes(32)
const text = bytes.toString('base64url')

suite('master key', () => {
  test('holds the 32 bytes of the setting', () => {
    assert.deepEqual(parseMasterKey(text).key.export(), bytes)
  })

  test('its id names it and is not a plain hash of it', () => {
    const { id } = parseMasterKey(text)
    assert.match(id, /^[0-9a-f]{16}$/)
    assert.equal(id, parseMasterKey(text).id)
    assert.notEqual(id, parseMasterKey(randomBytes(32).toString('base64url')).id)
    assert.equal(id, Buffer.from(hkdfSync('sha256', bytes, '', 'stile/master-key-id', 32)).toString('hex', 0, 8))
  })

  for (const [what, setting] of Object.entries({
    'an empty setting': '',
    '31 bytes': randomBytes(31).toString('base64url'),
    '33 bytes': randomBytes(33).toString('base64url'),
    padding: `${text}=`,
    'a trailing line break': `${text}\n`,
    'plain base64': `${text.slice(0, 41)}+/`,
    'hexadecimal digits': bytes.toString('hex'),
    'the default that everybody would copy': 'A'.repeat(43),
    'a repeated word': Buffer.from('changeme'.repeat(4)).toString('base64url'),
  })) {
    test(`R26: refuses ${what} without repeating it`, () => {
      assert.throws(
        () => parseMasterKey(setting),
        (error) =>
          error instanceof InvalidMasterKey &&
          error.message.startsWith('STILE_MASTER_KEY ') &&
          (setting === '' || !error.message.includes(setting.trim())),
      )
    })
  }

  test('takes the previous key beside the current one, unless they are the same', () => {
    const other = randomBytes(32).toString('base64url')
    assert.equal(parseMasterKeys(text).previous, undefined)
    assert.equal(parseMasterKeys(text, other).previous?.id, parseMasterKey(other).id)
    assert.throws(() => parseMasterKeys(text, text), InvalidMasterKey)
    assert.throws(() => parseMasterKeys(text, 'short'), /STILE_MASTER_KEY_PREVIOUS/)
  })

  test('F19: one key per label and master key, always the same', () => {
    const master = parseMasterKey(text)
    const derived = (label: string) => deriveKey(master, label).export().toString('hex')
    assert.equal(derived('cursor'), derived('cursor'))
    assert.notEqual(derived('cursor'), derived('refresh-token'))
    assert.notEqual(derived('cursor'), bytes.toString('hex'))
    assert.equal(derived('cursor'), Buffer.from(hkdfSync('sha256', bytes, '', 'stile/cursor', 32)).toString('hex'))
    assert.throws(() => deriveKey(master, ''), TypeError)
  })
})
