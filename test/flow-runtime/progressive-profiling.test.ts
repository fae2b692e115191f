/** PROGRESSIVE_PROFILING over HTTP: authentication-api 4.2 `user.update`; rows K32, N14, J10. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Browser } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { assign, begin, bodyOf, flowIn, newApplication, newPerson, newPolicy, stateOf } from './arrange.ts'

suite('progressive profiling', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  test('the flow says what is asked for; what was said is the user’s from then on', async () => {
    const { browser, flowId, person } = await flowIn(stile, 'PROFILE_DATA_REQUIRED')
    const shown = await browser.send(`/${stile.environmentId}/flows/${flowId}`)
    assert.deepEqual(shown.json._embedded.attributes, [
      { name: 'nickname', required: true },
      { name: 'name.given', required: false },
    ])
    assert.equal(shown.json.promptText, 'Tell us.')
    const missing = await browser.act(flowId, 'user.update', { name: { given: 'Ada' } })
    assert.deepEqual([missing.status, missing.json.details[0].target], [400, 'nickname'])
    const wrong = await browser.act(flowId, 'user.update', { nickname: 7 })
    assert.deepEqual([wrong.status, wrong.json.details[0].target], [400, 'nickname'])
    const done = await browser.act(flowId, 'user.update', {
      nickname: 'Ada',
      name: { given: 'Augusta', family: 'nobody asked' },
      username: 'root',
      population: { id: 'other' },
      enabled: false,
      email: 'other@example.com',
    })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const { json: user } = await stile.api('GET', `/users/${person.id}`)
    assert.deepEqual(
      [user.nickname, user.name, user.username, user.enabled],
      ['Ada', { given: 'Augusta' }, person.username, true],
    )
    assert.equal(user.email, `${person.username}@example.com`)
    assert.ok(!JSON.stringify(await stateOf(stile, flowId)).includes('Augusta'), 'the flow keeps no value')
  })

  test('K32: an address that is said while signing on is not proved by that', async () => {
    const application = await newApplication(stile)
    const asks = {
      type: 'PROGRESSIVE_PROFILING',
      attributes: [{ name: 'email', required: true }],
      preventMultiplePromptsPerFlow: true,
      promptIntervalSeconds: 60,
      promptText: '',
    } as const
    await assign(stile, application, await newPolicy(stile, { type: 'LOGIN' }, asks))
    const person = await newPerson(stile)
    const { json: before } = await stile.api('GET', `/users/${person.id}`)
    const { email: _, ...others } = before
    assert.equal((await stile.api('PUT', `/users/${person.id}`, others)).status, 200)
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'pi.flow', { client_id: application })
    await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
    assert.equal((await browser.act(flowId, 'user.update', { email: 'no address' })).status, 400)
    const done = await browser.act(flowId, 'user.update', { email: 'ada@example.com' })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const { json: user } = await stile.api('GET', `/users/${person.id}`)
    assert.deepEqual([user.email, user.emailVerified], ['ada@example.com', false])
  })

  test('J10: of twenty answers at once one is taken', async () => {
    const { browser, flowId, person } = await flowIn(stile, 'PROFILE_DATA_REQUIRED')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        Object.assign(new Browser(stile), { cookie: browser.cookie }).act(flowId, 'user.update', {
          nickname: `N${at}`,
        }),
      ),
    )
    const taken = answers.flatMap(({ json }, at) => (json.status === 'COMPLETED' ? [`N${at}`] : []))
    assert.equal(taken.length, 1)
    assert.equal((await stile.api('GET', `/users/${person.id}`)).json.nickname, taken[0])
  })
})
