import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { registrationAttributes } from '../../src/flow/user-attributes.ts'

const takes = (attributes: object) =>
  registrationAttributes.safeParse({ username: 'ann', email: 'ann@example.com', ...attributes }).success

suite('attributes of a registration', () => {
  for (const email of ['ann@example.com', 'ann+shop@example.com', "o'neil@example.co.uk", 'jürgen@bücher.example']) {
    test(`K30: ${email} is an address`, () => assert.ok(takes({ email })))
  }

  for (const [what, email] of Object.entries({
    'a full-width @': 'ann＠example.com',
    'full-width letters': 'ａnn@example.com',
    'a list': 'ann@example.com,eve@example.org',
    'a list with spaces': 'ann@example.com eve@example.org',
    'two @': 'ann@example.com@example.org',
    'a quoted local part': '"ann"@example.com',
    'a display name': 'Ann <ann@example.com>',
    'a comment': 'ann(x)@example.com',
    'a line break': 'ann@example.com\r\nBcc: eve@example.org',
    NUL: 'ann@example.com\u0000',
    'an address literal': 'ann@[127.0.0.1]',
    'no domain': 'ann@',
    'a dot at an end': '.ann@example.com',
    '257 characters': `ann@${'a'.repeat(249)}.com`,
    'a local part of 65 characters': `${'a'.repeat(65)}@example.com`,
  })) {
    test(`K30: ${what} makes no address`, () => assert.equal(takes({ email }), false))
  }

  for (const username of ['ad\u200bmin', 'admin\u0000', '\u202eadmin', ' ', '\u3000', 'a'.repeat(129)]) {
    test(`K28: ${JSON.stringify(username.slice(0, 12))} is no username`, () => assert.equal(takes({ username }), false))
  }

  test('J34: what decides what a user may do is not among them', () => {
    const powers = [
      'id',
      'enabled',
      'population',
      'emailVerified',
      'mfaEnabled',
      'roles',
      'lifecycle',
      'identityProvider',
    ]
    for (const name of powers) assert.ok(!(name in registrationAttributes.shape), name)
  })
})
