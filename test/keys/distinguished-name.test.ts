import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parseDistinguishedName } from '../../src/keys/distinguished-name.ts'
import { anyCharacter } from '../harness/any-character.ts'

suite('distinguished names', () => {
  for (const [text, parts] of [
    [
      'CN=Test Key Rotation Policy, OU=Ping Identity, O=Ping Identity, L=, ST=, C=US',
      [
        ['CN', 'Test Key Rotation Policy'],
        ['OU', 'Ping Identity'],
        ['O', 'Ping Identity'],
        ['C', 'US'],
      ],
    ],
    [
      'c=de,o = Größe ',
      [
        ['C', 'de'],
        ['O', 'Größe'],
      ],
    ],
    [
      'CN=a\\, b \\= c\\\\,O=x',
      [
        ['CN', 'a, b = c\\'],
        ['O', 'x'],
      ],
    ],
    ['CN=a=b', [['CN', 'a=b']]],
  ] as const) {
    test(`${text} is read`, () => assert.deepEqual(parseDistinguishedName(text), parts))
  }

  for (const text of [
    '',
    'CN=',
    'plain text',
    'CN=a,,O=b',
    'DC=example',
    'emailAddress=a@b.test',
    'C=USA',
    'C=1',
    'CN=a\\',
    `CN=${'x'.repeat(65)}`,
    'CN=a\u0000b',
    'CN=a\nb',
  ]) {
    test(`${JSON.stringify(text.slice(0, 30))} is refused`, () => assert.ok('refused' in parseDistinguishedName(text)))
  }

  test('arbitrary text never throws, and what is read is bounded', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        const parts = parseDistinguishedName(text)
        if (!('refused' in parts)) assert.ok(parts.every(([, value]) => value !== '' && value.length <= 128))
      }),
    )
  })
})
