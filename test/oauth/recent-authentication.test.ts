/**
 * K22: a token of somebody who authenticated long ago does not change how they are recognised or recovered. The challenge
 * of RFC 9470 says what is missing, and a client that follows it gets there. One node, whose clock the tests move.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { addEmailDevice, enableMfa } from '../flow-runtime/arrange.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { codeOf, codeRequest, flowOf, obtainCode, redeemCode, submitSignOnPage } from './journeys.ts'
import {
  builtInResource,
  expectStatus,
  grant,
  type Person,
  person,
  type Registered,
  register,
  web,
} from './registrations.ts'

suite('K22: a recent authentication', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile)
    const api = await builtInResource(stile, 'PINGONE_API')
    await grant(stile, app.clientId, api.id, [api.scope('p1:update:user'), api.scope('p1:read:user')])
  })
  after(() => stile.close())

  const request = (more: Readonly<Record<string, string>> = {}) =>
    codeRequest(app, { scope: 'openid p1:update:user p1:read:user', ...more })
  const tokenOf = async (code: string) => expectStatus(await redeemCode(stile, app, code), 200).access_token as string
  const pass = async (seconds: number) => {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }
  const own = ({ id }: Person) => `/v1/environments/${stile.environmentId}/users/${id}`
  const patch = (who: Person, token: string, body: object) => stile.send(own(who), { method: 'PATCH', token, body })

  async function signedOn() {
    const who = await person(stile, { email: 'before@example.com' })
    const browser = new Browser(stile)
    const token = await tokenOf(await obtainCode(browser, request(), who))
    return { who, browser, token }
  }

  /** The parameters of the challenge. */
  function challengeOf(answer: Answer): ReadonlyMap<string, string> {
    const body = expectStatus(answer, 401)
    assert.equal(body.code, 'ACCESS_FAILED')
    const header = answer.headers.get('www-authenticate') ?? ''
    assert.match(header, /^Bearer /)
    return new Map([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]))
  }

  test('an old one is challenged with max_age; a client that follows it may change the address', async () => {
    const { who, browser, token } = await signedOn()
    expectStatus(await patch(who, token, { email: 'first@example.com' }), 200)
    await pass(299)
    expectStatus(await patch(who, token, { email: 'second@example.com' }), 200)
    await pass(2)
    const challenge = challengeOf(await patch(who, token, { email: 'third@example.com' }))
    assert.equal(challenge.get('error'), 'insufficient_user_authentication')
    assert.equal(challenge.get('max_age'), '300')
    assert.equal(expectStatus(await stile.api('GET', `/users/${who.id}`), 200).email, 'second@example.com')

    // A session alone brings a new token, not a new authentication.
    const silent = await tokenOf(codeOf(await browser.authorize(request())))
    challengeOf(await patch(who, silent, { email: 'third@example.com' }))

    const flowId = flowOf(await browser.authorize(request({ max_age: challenge.get('max_age') ?? '' })))
    assert.equal((await submitSignOnPage(browser, flowId, who)).status, 303)
    const fresh = await tokenOf(codeOf(await browser.resume(flowId)))
    expectStatus(await patch(who, fresh, { email: 'third@example.com' }), 200)
    assert.equal(expectStatus(await stile.api('GET', `/users/${who.id}`), 200).email, 'third@example.com')
    challengeOf(await patch(who, token, { email: 'fourth@example.com' }))
  })

  test('what recognises and recovers is meant, by PATCH and by PUT; everything else is not', async () => {
    const { who, token } = await signedOn()
    await pass(301)
    const present = expectStatus(await stile.send(own(who), { token }), 200)
    for (const members of [
      { username: `${who.username}-x` },
      { email: 'other@example.com' },
      { email: null },
      { mobilePhone: '+1.5125551234' },
      { primaryPhone: '+1.5125551234' },
      { nickname: 'Ada', email: 'other@example.com' },
    ]) {
      challengeOf(await patch(who, token, members))
    }
    challengeOf(await stile.send(own(who), { method: 'PUT', token, body: { ...present, email: 'other@example.com' } }))
    const { email: _, ...without } = present
    challengeOf(await stile.send(own(who), { method: 'PUT', token, body: without }))
    expectStatus(await patch(who, token, { nickname: 'Ada' }), 200)
    expectStatus(await patch(who, token, { nickname: 'Ada', email: 'before@example.com' }), 200)
    expectStatus(await stile.send(own(who), { method: 'PUT', token, body: { ...present, title: 'Dr' } }), 200)
  })

  test('an administrator does not touch the own devices with an old authentication, and those of others freely', async () => {
    const worker = await register(stile, { ...web, type: 'WORKER' })
    const [who, other] = [await person(stile, { email: 'admin@example.com' }), await person(stile)]
    for (const each of [who, other]) await enableMfa(stile, each)
    const { _embedded } = expectStatus(await stile.api('GET', '/v1/roles'), 200)
    const role = _embedded.roles.find(({ name }: { name: string }) => name === 'Identity Data Admin')
    const scope = { id: stile.environmentId, type: 'ENVIRONMENT' }
    expectStatus(await stile.api('POST', `/users/${who.id}/roleAssignments`, { role: { id: role.id }, scope }), 201)
    const code = await obtainCode(new Browser(stile), codeRequest(worker, { scope: 'openid' }), who)
    const token = expectStatus(await redeemCode(stile, worker, code), 200).access_token as string
    const device = { type: 'EMAIL', email: 'device@example.com' }
    const path = (id: string) => `/v1/environments/${stile.environmentId}/users/${id}/devices`
    expectStatus(await stile.send(path(who.id), { token, body: device }), 201)
    await pass(301)
    expectStatus(await stile.send(path(who.id), { token }), 200)
    challengeOf(await stile.send(path(who.id), { token, body: device }))
    const mine = await addEmailDevice(stile, { ...who, username: 'admin' })
    challengeOf(await stile.send(`${path(who.id)}/${mine}`, { method: 'DELETE', token }))
    const mediaType = 'application/vnd.pingidentity.device.block+json'
    challengeOf(await stile.send(`${path(who.id)}/${mine}`, { token, body: {}, mediaType }))
    const flag = `/v1/environments/${stile.environmentId}/users/${who.id}/mfaEnabled`
    challengeOf(await stile.send(flag, { method: 'PUT', token, body: { mfaEnabled: false } }))
    expectStatus(await stile.send(path(other.id), { token, body: device }), 201)
  })
})
