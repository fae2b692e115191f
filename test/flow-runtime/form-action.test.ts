import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseForm } from '../../src/contract/form.ts'
import { mediaTypes } from '../../src/flow/media-types.ts'
import { formAction } from '../../src/flow-runtime/form-action.ts'

suite('forms as actions', () => {
  test('the fields an action knows become its body', () => {
    assert.deepEqual(formAction(parseForm('action=usernamePassword.check&username=ada&password=p+%26')), {
      action: 'usernamePassword.check',
      body: { username: 'ada', password: 'p &' },
    })
    assert.deepEqual(formAction(parseForm('action=session.reset&username=ada')), {
      action: 'session.reset',
      body: {},
    })
  })

  test('a field left empty is a member not sent; a field the action does not know is dropped', () => {
    assert.deepEqual(formAction(parseForm('action=password.reset&currentPassword=&newPassword=n&userId=1')), {
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
      assert.equal(formAction(parseForm(form)), undefined, form)
    }
  })

  test('every action of the flow can be a form', () => {
    for (const { name } of mediaTypes()) assert.equal(formAction(parseForm(`action=${name}`))?.action, name)
  })
})
