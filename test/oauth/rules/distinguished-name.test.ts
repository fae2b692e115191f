import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { isSameName, nameOfCertificate, parseDistinguishedName } from '../../../src/oauth/rules/distinguished-name.ts'
import { anyCharacter, anyGrapheme } from '../../harness/any-character.ts'

const parse = (text: string) => parseDistinguishedName(text) ?? assert.fail(`${text} is no name`)

suite('distinguished names', () => {
  const certificate = nameOfCertificate([{ C: ['DE'] }, { O: ['Stile, "Inc" <x>'] }, { CN: ['client'], OU: ['one'] }])
  assert.ok(certificate)

  const same = [
    'CN=client+OU=one,O=Stile\\, \\"Inc\\" \\<x\\>,C=DE',
    'OU=one+CN=client,O=Stile\\, \\"Inc\\" \\<x\\>,C=DE',
    'cn=client + ou=one, o=Stile\\2C \\22Inc\\22 \\3cx\\3E, c=DE',
    '2.5.4.3=client+2.5.4.11=one,2.5.4.10=Stile\\, \\"Inc\\" \\<x\\>,2.5.4.6=DE',
    'CN=#0c06636c69656e74+OU=one,O=Stile\\, \\"Inc\\" \\<x\\>,C=#13024445',
  ]
  for (const text of same) test(`the same: ${text}`, () => assert.ok(isSameName(parse(text), certificate)))

  const different = [
    'C=DE,O=Stile\\, \\"Inc\\" \\<x\\>,CN=client+OU=one',
    'CN=client,OU=one,O=Stile\\, \\"Inc\\" \\<x\\>,C=DE',
    'CN=client+OU=one,C=DE',
    'CN=client+OU=one',
    'CN=Client+OU=one,O=Stile\\, \\"Inc\\" \\<x\\>,C=DE',
    'CN=client+OU=one,O=Stile\\, \\"Inc\\" \\<x\\>,C=DE,DC=test',
  ]
  for (const text of different) test(`another: ${text}`, () => assert.ok(!isSameName(parse(text), certificate)))

  const malformed = [
    '',
    'CN',
    'CN=',
    '=x',
    'CN=a,',
    ',CN=a',
    'CN=a,,O=b',
    'CN=a+',
    'XX=1',
    'CN="a"',
    'CN=a"b',
    'CN=a\\',
    'CN=a\\2',
    'CN=a;O=b',
    '/CN=a/O=b',
    'CN=#',
    'CN=#0c05',
    'CN=#0c0161ff',
    'CN=#020101',
    'CN=#zz',
    '1=a',
  ]
  for (const text of malformed) test(`no name: ${text}`, () => assert.equal(parseDistinguishedName(text), undefined))

  test('what an escape stands for begins no other, and a blank behind it is none of it', () => {
    for (const [written, value] of [
      ['\\5c\\20', '\\ '],
      ['\\\\20', '\\20'],
      ['a\\\\ ', 'a\\'],
      ['a\\  ', 'a '],
      ['a\\\\\\ ', 'a\\ '],
    ] as const) {
      assert.deepEqual(parse(`CN=${written}`), [[['2.5.4.3', value]]], written)
    }
  })

  test('a value that is escaped comes back as it was', () => {
    const escape = (value: string) =>
      [...Buffer.from(value)].map((octet) => `\\${octet.toString(16).padStart(2, '0')}`).join('')
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: anyGrapheme }), (value) => {
        assert.deepEqual(parse(`CN=${escape(value)},O=x`), [[['2.5.4.3', value]], [['2.5.4.10', 'x']]])
      }),
    )
  })

  test('any text is read or refused, and soon', () => {
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => void parseDistinguishedName(`CN=${text}`)))
    assert.equal(parseDistinguishedName(`CN=${'\\'.repeat(1001)}`), undefined)
    assert.equal(parseDistinguishedName(`CN=${' '.repeat(5000)}"`), undefined)
  })
})
