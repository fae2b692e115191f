import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { attributeColumns, canAuthenticate, textKey, usernameKey } from '../../src/directory/users.ts'
import { anyGrapheme } from '../harness/any-character.ts'

suite('users', () => {
  test('K28: names that people would take for one another share a key', () => {
    const same = ['admin', 'Admin', 'ADMIN', ' admin', 'admin ', 'admin\u00a0', 'ａdmin', 'ａＤmin']
    assert.deepEqual([...new Set(same.map(usernameKey))], ['admin'])
    assert.equal(usernameKey('A\u030angstro\u0308m'), usernameKey('\u00c5ngstr\u00f6m'))
    assert.equal(usernameKey('\u212aim'), 'kim')
    assert.notEqual(usernameKey('\u0430dmin'), 'admin')
  })

  test('what is filtered is taken out of the document, in the form in which it is compared', () => {
    const document = {
      email: 'Ann@Example.com',
      name: { given: 'ÅNN', family: 'Smith' },
      mobilePhone: '+1 2',
      externalId: 'X1',
    }
    const columns = attributeColumns(' Ann ', document)
    assert.deepEqual(columns, {
      username: ' Ann ',
      username_key: 'ann',
      email_key: 'ann@example.com',
      given_key: 'ånn',
      family_key: 'smith',
      mobile_phone: '+1 2',
      external_id: 'X1',
      document: JSON.stringify(document),
    })
    assert.equal(attributeColumns('a', {})['email_key'], null)
  })

  test('keys do not depend on composition or width', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyGrapheme }), (text) => {
        assert.equal(textKey(text.normalize('NFD')), textKey(text.normalize('NFC')))
        assert.equal(textKey(text.normalize('NFKC')), textKey(text))
      }),
    )
  })

  test('an account may sign on while it is enabled and not locked', () => {
    assert(canAuthenticate({ enabled: true, lockedAt: null }, 5))
    assert(!canAuthenticate({ enabled: false, lockedAt: null }, 5))
    assert(!canAuthenticate({ enabled: true, lockedAt: 1 }, 5))
    assert(!canAuthenticate({ enabled: true, lockedAt: 1, lockedUntil: 6 }, 5))
    assert(canAuthenticate({ enabled: true, lockedAt: 1, lockedUntil: 5 }, 5))
  })
})
