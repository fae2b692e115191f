import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64url } from '../../src/keys/base64url.ts'

suite('strict base64url', () => {
  test('reads back what an encoder writes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const decoded = decodeBase64url(Buffer.from(bytes).toString('base64url'))
        assert.deepEqual(decoded && [...decoded], [...bytes])
      }),
    )
  })

  test('of all texts, at most one names given bytes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[AQRgw+/=\n.é_ -]*$/), (text) => {
        const decoded = decodeBase64url(text)
        if (decoded) assert.equal(decoded.toString('base64url'), text)
      }),
    )
  })

  for (const [what, text] of Object.entries({
    'stray low bits': 'QR',
    padding: 'QQ==',
    'standard alphabet': '+/8',
    'a space': 'QUJD REVG',
    'a line break': 'QUJD\n',
    'a length no encoder produces': 'QUJDR',
    'a letter outside ASCII': 'QUJé',
  })) {
    test(`F07: refuses ${what}`, () => assert.equal(decodeBase64url(text), undefined))
  }

  test('the empty text is the empty byte string', () => assert.equal(decodeBase64url('')?.length, 0))
})
