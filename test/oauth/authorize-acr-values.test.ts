/** `acr_values` chooses among the assigned sign-on policies and never beyond them: row A35; decision D20. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, flowOf, obtainCode, redeemCode, told } from './journeys.ts'
import { assignPolicy, expectStatus, type Registered, register } from './registrations.ts'

suite('A35: acr_values', () => {
  let stile: Stile
  let app: Registered
  before(async () => {
    stile = await startStile()
    app = await register(stile)
    // Both always ask; the default policy of the environment, Single_Factor, would be satisfied by a session.
    await assignPolicy(stile, app.clientId, 'Always_A', 1)
    await assignPolicy(stile, app.clientId, 'Always_B', 2)
  })
  after(() => stile.close())

  const acrOf = async (acr_values: string) => {
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(await register(stile)))
    const request = codeRequest(app, acr_values === '' ? {} : { acr_values })
    const started = await browser.authorize(request)
    assert.match(started.headers.get('location') ?? '', /\/signon\//, `${acr_values}: the session is not enough`)
    const { id_token, access_token } = expectStatus(
      await redeemCode(stile, app, await obtainCode(browser, request)),
      200,
    )
    const acr = decodeJwt(id_token)['acr']
    assert.equal(decodeJwt(access_token)['acr'], acr)
    return acr
  }

  test('a policy that is not assigned never runs, alone or in a list; acr says what ran', async () => {
    assert.equal(await acrOf(''), 'Always_A')
    assert.equal(await acrOf('Always_B'), 'Always_B')
    assert.equal(await acrOf('Single_Factor Always_B'), 'Always_B')
    assert.equal(await acrOf('Always_B Always_A'), 'Always_B')
    for (const acr_values of ['Single_Factor', 'no-such-policy', 'always_b']) {
      const browser = new Browser(stile)
      await authorizeBySignOnPage(browser, codeRequest(await register(stile)))
      const answer = await browser.authorize(codeRequest(app, { acr_values }))
      assert.equal(told(answer).get('error'), 'access_denied', acr_values)
    }
  })

  test('not even when it is named by prompt=none with a session that satisfies it', async () => {
    const browser = new Browser(stile)
    await authorizeBySignOnPage(browser, codeRequest(await register(stile)))
    const answer = await browser.authorize(codeRequest(app, { acr_values: 'Single_Factor', prompt: 'none' }))
    assert.equal(told(answer).get('error'), 'login_required')
  })

  test('a policy that is taken away while a flow runs is not completed', async () => {
    const leaving = await register(stile)
    await assignPolicy(stile, leaving.clientId, 'Leaving', 1)
    const browser = new Browser(stile)
    const flowId = flowOf(await browser.authorize(codeRequest(leaving)))
    const { _embedded } = expectStatus(
      await stile.api('GET', `/applications/${leaving.clientId}/signOnPolicyAssignments`),
      200,
    )
    const [{ id }] = _embedded.signOnPolicyAssignments
    expectStatus(await stile.api('DELETE', `/applications/${leaving.clientId}/signOnPolicyAssignments/${id}`), 204)
    const { username, password } = stile.user
    const flow = expectStatus(await browser.act(flowId, 'usernamePassword.check', { username, password }), 200)
    assert.equal(flow.status, 'FAILED')
    assert.equal(told(await browser.resume(flowId)).get('error'), 'access_denied')
  })
})
