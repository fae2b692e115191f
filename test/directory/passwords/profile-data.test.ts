import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isProfileData } from '../../../src/directory/passwords/profile-data.ts'

const user = {
  username: 'Lena.Berg',
  email: 'lb1990@mail.test',
  name: { given: 'Lena', family: 'Berg', formatted: 'Lena Müller-Berg' },
  mobilePhone: '+49.1701234567',
  custom: { badges: ['Sommerfest24!', 4711_0815] },
  nickname: null,
  enabled: true,
}

suite('profile data in a password', () => {
  for (const [password, expected] of [
    ['Lena.Berg', true],
    ['lena.berg', true],
    ['LB1990@MAIL.TEST', true],
    ['lb1990', true],
    ['lena mu\u0308ller-berg'.normalize('NFC'), true],
    ['+49.1701234567', true],
    ['sommerfest24!', true],
    ['47110815', true],
    ['Lena.Berg!', false],
    ['my name is Lena.Berg, really', false],
    ['true', false],
    ['null', false],
  ] as const) {
    test(`${password}: ${expected ? 'refused' : 'fine'}`, () => assert.equal(isProfileData(password, user), expected))
  }

  test('a decomposed value in the profile is the same value', () => {
    assert.ok(isProfileData('m\u00fcller', { name: { family: 'Mu\u0308ller' } }))
  })

  test('no profile, no match', () => {
    for (const nothing of [undefined, null, {}, [], '']) assert.ok(!isProfileData('secret', nothing))
  })
})
