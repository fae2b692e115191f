/**
 * A code dies with what it stands on: row B20, for what can end one today (consent: consent.test.ts; there is no sign-off yet).
 * One node, whose clock the tests move.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { authorizeBySignOnPage, codeRequest, expectRefusal, obtainCode, redeemCode } from './journeys.ts'
import {
  change,
  expectStatus,
  type Person,
  person,
  type Registered,
  register,
  setPassword,
  web,
} from './registrations.ts'

suite('B20: a code dies with what it stands on', () => {
  let world: TestWorld
  let stile: Stile
  let app: Registered
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
    app = await register(stile)
  })
  after(() => stile.close())

  const vendor = (operation: string) => ({ mediaType: `application/vnd.pingidentity.${operation}+json` })
  /** What happens between the code and its redemption. */
  type Ending = (who: Person, theirs: Browser, client: Registered) => Promise<unknown>
  const ok = async (answer: Promise<Answer>) => assert.ok((await answer).status < 300, (await answer).text)
  const endings: readonly [what: string, error: 'invalid_grant' | 'invalid_client', end: Ending][] = [
    [
      'the user is disabled',
      'invalid_grant',
      ({ id }) => ok(stile.api('PUT', `/users/${id}/enabled`, { enabled: false })),
    ],
    ['the user is deleted', 'invalid_grant', ({ id }) => ok(stile.api('DELETE', `/users/${id}`))],
    [
      'the user is locked',
      'invalid_grant',
      ({ id }) => ok(stile.api('POST', `/users/${id}`, {}, vendor('account.lock'))),
    ],
    [
      'an administrator sets the password',
      'invalid_grant',
      async ({ id }) => {
        world.advance(1)
        await setPassword(stile, id, 'Nine-Purple-Tigers-88')
      },
    ],
    [
      'the user changes the password in a flow',
      'invalid_grant',
      async ({ id, username, password }) => {
        await ok(stile.api('POST', `/users/${id}/password`, {}, vendor('password.forceChange')))
        world.advance(1)
        const elsewhere = new Browser(stile)
        const flow = expectStatus(await elsewhere.authorize(piFlowRequest(stile, pkce().challenge)), 200)
        await ok(elsewhere.act(flow.id, 'usernamePassword.check', { username, password }))
        const passwords = { currentPassword: password, newPassword: 'Nine-Purple-Tigers-88' }
        await ok(elsewhere.act(flow.id, 'password.reset', passwords))
      },
    ],
    [
      'somebody else signs on in that browser, which ends the session',
      'invalid_grant',
      async (_who, theirs) => {
        await authorizeBySignOnPage(theirs, codeRequest(app, { prompt: 'login' }), await person(stile))
      },
    ],
    [
      'the application is disabled',
      'invalid_client',
      (_who, _theirs, { clientId }) => change(stile, clientId, { enabled: false }),
    ],
    [
      'the application is deleted',
      'invalid_client',
      (_who, _theirs, { clientId }) => ok(stile.api('DELETE', `/applications/${clientId}`)),
    ],
  ]
  for (const [what, error, end] of endings) {
    test(what, async () => {
      const who = await person(stile)
      const theirs = new Browser(stile)
      const client = await register(stile)
      const code = await obtainCode(theirs, codeRequest(client), who)
      const control = await obtainCode(theirs, codeRequest(client), who)
      expectStatus(await redeemCode(stile, client, control), 200)
      await end(who, theirs, client)
      expectRefusal(await redeemCode(stile, client, code), error)
    })
  }

  test('the grant type is taken from the application', async () => {
    const client = await register(stile, { ...web, grantTypes: ['AUTHORIZATION_CODE', 'CLIENT_CREDENTIALS'] })
    const code = await obtainCode(new Browser(stile), codeRequest(client))
    await change(stile, client.clientId, { grantTypes: ['CLIENT_CREDENTIALS'], responseTypes: [] })
    expectRefusal(await redeemCode(stile, client, code), 'unauthorized_client')
  })

  test('I19: the session idles out before the code does', async () => {
    const settings = { signingAlgorithm: 'ES256', sessionIdleMinutes: 1, authorizationCodeSeconds: 600 }
    expectStatus(await stile.api('PUT', '/settings', settings), 200)
    const code = await obtainCode(new Browser(stile), codeRequest(app))
    world.advance(61_000)
    await stile.node.kernel.environments.poll()
    expectRefusal(await redeemCode(stile, app, code), 'invalid_grant')
    expectStatus(await stile.api('PUT', '/settings', { signingAlgorithm: 'ES256' }), 200)
  })
})
