import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseForm } from '../../src/contract/form.ts'
import { mediaTypes } from '../../src/flow/media-types.ts'
import { signOnAction } from '../../src/pages/sign-on-action.ts'

suite('forms of the sign-on page as actions', () => {
  test('the fields an action knows become its body', () => {
    assert.deepEqual(signOnAction(parseForm('action=usernamePassword.check&username=ada&password=p+%26')), {
      action: 'usernamePassword.check',
      body: { username: 'ada', password: 'p &' },
    })
    assert.deepEqual(signOnAction(parseForm('action=session.reset&username=ada')), {
      action: 'session.reset',
      body: {},
    })
  })

  test('a field left empty is a member not sent; a field the action does not know is dropped', () => {
    assert.deepEqual(signOnAction(parseForm('action=password.reset&currentPassword=&newPassword=n&userId=1')), {
      action: 'password.reset',
      body: { newPassword: 'n' },
    })
  })

  test('no action, an unknown one, or a field sent twice is no action', () => {
    for (const form of [
      'username=ada',
      'action=',
      'action=user.delete',
      'action=constructor',
      'action=session.reset&action=usernamePassword.check',
      'action=usernamePassword.check&password=a&password=b',
    ]) {
      assert.equal(signOnAction(parseForm(form)), undefined, form)
    }
  })

  test('every action of the flow can be a form', () => {
    for (const { name } of mediaTypes()) assert.equal(signOnAction(parseForm(`action=${name}`))?.action, name)
  })
})
