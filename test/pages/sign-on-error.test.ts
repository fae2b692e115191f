import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  lockedOut,
  otherUser,
  passwordUnsatisfied,
  type Refusal,
  valueMissing,
  wrongCredentials,
  wrongCurrentPassword,
} from '../../src/flow/refusal.ts'
import { explainRefusal } from '../../src/pages/sign-on-error.ts'
import { defaultLanguage } from '../../src/pages/texts/language.ts'

const explain = (refusal: Refusal, usernameKnown = false) =>
  explainRefusal(refusal.details, usernameKnown, defaultLanguage)

suite('refusals in words', () => {
  test('each refusal of the flow names the field it is about', () => {
    assert.deepEqual(explain(wrongCredentials), {
      field: 'password',
      text: 'The username or password is not right.',
    })
    assert.deepEqual(explain(wrongCredentials, true), { field: 'password', text: 'The password is not right.' })
    assert.equal(explain(otherUser).field, 'username')
    assert.equal(explain(wrongCurrentPassword).field, 'currentPassword')
    assert.deepEqual(explain(valueMissing('password')), { field: 'password', text: 'Enter your password.' })
  })

  test('a lock tells how long it lasts, in whole minutes and never none', () => {
    assert.deepEqual(explain(lockedOut(871)), { field: null, text: 'Too many attempts. Try again in 15 min.' })
    assert.match(explain(lockedOut(0)).text, /in 1 min/)
    const withoutTime = explainRefusal([{ code: 'PASSWORD_LOCKED_OUT' }], false, defaultLanguage)
    assert.match(withoutTime.text, /in 1 min/)
  })

  test('a new password names what it missed', () => {
    const missed = explain(
      passwordUnsatisfied('newPassword', [
        { name: 'length', message: 'x' },
        { name: 'history', message: 'y' },
      ]),
    )
    assert.equal(missed.field, 'newPassword')
    assert.deepEqual(missed.missed, ['length', 'history'])
    assert.match(
      explain(passwordUnsatisfied('newPassword', [{ name: 'minAgeDays', message: 'x' }])).text,
      /only recently/,
    )
  })

  test('what it does not know is said in general, without repeating any of it', () => {
    for (const details of [
      [],
      [{ code: 'SOMETHING', target: 'password' }],
      [{ code: 'INVALID_VALUE', target: '__proto__' }],
      [{ code: 'INVALID_VALUE', target: 'newPassword', innerError: { unsatisfiedRequirements: '<b>' } }],
    ]) {
      const { text } = explainRefusal(details, false, defaultLanguage)
      assert.doesNotMatch(text, /<|proto|SOMETHING/)
    }
  })
})
