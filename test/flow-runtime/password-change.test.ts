/**
 * Changing a password in a flow: what the forced change asks for, and that refused new passwords do not count as guesses
 * at the current one.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'

suite('password.reset', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  test('ten refused new passwords do not lock out whoever knows the current one', async () => {
    const forced = await stile.api('POST', `/users/${stile.user.id}/password`, undefined, {
      mediaType: 'application/vnd.pingidentity.password.forceChange+json',
    })
    assert.equal(forced.status, 200, forced.text)
    const browser = new Browser(stile)
    const flow = (await browser.authorize(piFlowRequest(stile, pkce().challenge))).json
    const waiting = await browser.act(flow.id, 'usernamePassword.check', {
      username: stile.user.username,
      password: stile.user.password,
    })
    assert.equal(waiting.json.status, 'MUST_CHANGE_PASSWORD', waiting.text)
    const change = (newPassword: string) =>
      browser.act(flow.id, 'password.reset', { currentPassword: stile.user.password, newPassword })
    for (let attempt = 0; attempt < 10; attempt++) {
      const refused = await change('short')
      assert.equal(refused.status, 400)
      assert.equal(refused.json.details[0].target, 'newPassword', refused.text)
      assert.ok(refused.json.details[0].innerError.unsatisfiedRequirements.includes('length'))
    }
    const changed = await change('Wholly-new-7-phrase')
    assert.equal(changed.json.status, 'COMPLETED', changed.text)
  })
})
