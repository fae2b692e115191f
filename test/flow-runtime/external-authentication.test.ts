/** Signing on at identity providers, over real HTTP, with a provider that lies (group M). Both engines race. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { type OpenIdProvider, startOpenIdProvider } from '../harness/openid-provider.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { addPopulation, addUser, onEachEngine, password } from '../platform/people.ts'
import {
  type ActionBody,
  assign,
  authorize,
  begin,
  enable,
  inboxOf,
  newApplication,
  newPolicy,
  rows,
  stateOf,
} from './arrange.ts'
import { comeBack, leave, mapAttributes, newIdentityProvider, ownPath, providerBody, roundTrip } from './external.ts'

const upstream = await startOpenIdProvider()
const other = await startOpenIdProvider()
after(async () => {
  await upstream.close()
  await other.close()
})

await onEachEngine('external authentication', (stile) => {
  /** An application whose policy has these actions, made for a provider of its own. */
  async function arrange(
    actions: (providerId: string) => readonly ActionBody[],
    { provider = upstream, ...more }: { provider?: OpenIdProvider } & Readonly<Record<string, unknown>> = {},
  ) {
    const server = stile()
    provider.lies = {}
    const providerId = await newIdentityProvider(server, provider, more)
    await mapAttributes(server, providerId, {
      username: ['${providerAttributes.name_here}'],
      email: ['${providerAttributes.email}'],
    })
    const client = await newApplication(server)
    await assign(server, client, await newPolicy(server, ...actions(providerId)))
    const flow = async (browser = new Browser(server)) => {
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      return { browser, flowId }
    }
    return { providerId, flow, client }
  }

  const social =
    (registration: object = { enabled: true }) =>
    (id: string): readonly ActionBody[] => [
      { type: 'LOGIN', socialProviders: [{ id }], registration: { enabled: false, ...registration } },
    ]
  const person = (claims: Readonly<Record<string, unknown>> = {}) => {
    const name = `ext-${randomUUID()}`
    return { sub: name, name_here: name, ...claims }
  }
  const userNamed = async (username: string): Promise<Answer['json']> =>
    (await stile().api('GET', `/users?filter=${encodeURIComponent(`username eq "${username}"`)}`)).json._embedded
      .users[0]
  const linksOf = (providerId: string) =>
    rows<Answer['json']>(stile(), 'linked_accounts', 'identity_provider_id = $2', providerId)

  test('somebody new gets an account in the population of the action, and is the same one the next time', async () => {
    const population = await addPopulation(stile())
    const { flow, providerId } = await arrange(social({ enabled: true, population: { id: population } }))
    upstream.user = person({ email: 'new@idp.example', email_verified: true })
    const { browser, flowId } = await flow()
    const shown = (await browser.send(`/${stile().environmentId}/flows/${flowId}`)).json
    const [link] = shown._embedded.socialProviders
    assert.equal(link.id, providerId)
    assert.equal(
      link._links.authenticate.href,
      `${stile().authUrl}/${stile().environmentId}/rp/authenticate?providerId=${providerId}&flowId=${flowId}`,
    )
    const done = await comeBack(browser, flowId, providerId, upstream)
    assert.equal(done.status, 'COMPLETED')
    const user = await userNamed(String(upstream.user['name_here']))
    assert.equal(user.id, done._embedded.user.id)
    assert.equal(user.population.id, population)
    assert.equal(user.emailVerified, false, 'the provider is no authority for the address')
    const resumed = await browser.resume(flowId)
    assert.ok(resumed.json.authorizeResponse.code, resumed.text)
    const again = await flow()
    const known = await comeBack(again.browser, again.flowId, providerId, upstream)
    assert.equal(known._embedded.user.id, user.id)
    assert.equal((await linksOf(providerId)).length, 1)
  })

  test('an address the provider has not verified is verified here before the sign-on counts', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person({ email: `${randomUUID()}@idp.example`, email_verified: false })
    const { browser, flowId } = await flow()
    assert.equal((await comeBack(browser, flowId, providerId, upstream)).status, 'VERIFICATION_CODE_REQUIRED')
  })

  test('M01: no state, a wrong one, a used one, of another browser, of another environment: refused', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const back = await roundTrip(browser, flowId, providerId, upstream)
    const before = await stateOf(stile(), flowId)
    const refusedFor = async (who: Browser, path: string) => {
      const { status } = await who.send(path)
      assert.ok(status === 400 || status === 404, `${status} ${path}`)
      assert.deepEqual(await stateOf(stile(), flowId), before)
    }
    const state = new URL(`http://x${back}`).searchParams.get('state') ?? ''
    await refusedFor(browser, back.replace(/state=[^&]+/, ''))
    await refusedFor(browser, back.replace(state, `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`))
    await refusedFor(browser, `${back}&state=${state}`)
    await refusedFor(new Browser(stile()), back)
    await refusedFor((await flow()).browser, back)
    const { json: environment } = await stile().api('POST', '/v1/environments', {
      name: `Other ${randomUUID()}`,
      type: 'SANDBOX',
      region: 'NA',
      license: { id: (await stile().api('GET', '')).json.license.id },
    })
    assert.ok(environment.id, JSON.stringify(environment))
    await refusedFor(browser, back.replace(stile().environmentId, environment.id))
    assert.equal((await browser.send(back)).status, 302)
    assert.equal((await stateOf(stile(), flowId)).status, 'COMPLETED')
    assert.equal((await browser.send(back)).status, 400, 'used')
  })

  test('M02: a state made for one provider is no use with another, or after the provider was configured anew', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const wrongType = (await roundTrip(browser, flowId, providerId, upstream)).replace('openid_connect', 'google')
    const answer = await browser.send(wrongType)
    assert.match(answer.headers.get('location') ?? '', /error=EXTERNAL_AUTHENTICATION_FAILED$/)
    const back = await roundTrip(browser, flowId, providerId, upstream)
    const { json } = await stile().api('GET', `/identityProviders/${providerId}`)
    await stile().api('PUT', `/identityProviders/${providerId}`, { ...json, clientId: 'another' })
    const stale = await browser.send(back)
    assert.match(stale.headers.get('location') ?? '', /error=EXTERNAL_AUTHENTICATION_FAILED$/)
    assert.notEqual((await stateOf(stile(), flowId)).status, 'COMPLETED')
  })

  test('M02: a new start ends the one before it in the same flow', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const first = await roundTrip(browser, flowId, providerId, upstream)
    const second = await roundTrip(browser, flowId, providerId, upstream)
    assert.equal((await browser.send(first)).status, 400)
    assert.equal((await browser.send(second)).status, 302)
  })

  test('M03, M04, M07, M11: whatever the provider lies about, the flow stays where it is and nobody hears why', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const before = await stateOf(stile(), flowId)
    for (const lies of [
      { claims: (claims: object) => ({ ...claims, nonce: 'other' }) },
      { claims: (claims: object) => ({ ...claims, iss: 'https://evil.example' }) },
      { claims: (claims: object) => ({ ...claims, aud: 'other' }) },
      { claims: (claims: object) => ({ ...claims, sub: ' ' }) },
      { header: (header: object) => ({ ...header, alg: 'none' }) },
      { signsWithOtherKey: true },
      { userinfo: (claims: object) => ({ ...claims, sub: 'bob' }) },
      { endpoint: '/token', behaviour: 'error' as const },
      { returned: { error: 'access_denied', error_description: '<script>alert(1)</script>' } },
    ]) {
      upstream.lies = lies
      const answer = await browser.send(await roundTrip(browser, flowId, providerId, upstream))
      const location = answer.headers.get('location') ?? ''
      assert.match(location, /&error=EXTERNAL_AUTHENTICATION_FAILED$/)
      assert.doesNotMatch(location, /script|access_denied/)
      assert.deepEqual(await stateOf(stile(), flowId), before)
    }
    upstream.lies = {}
    assert.deepEqual(await linksOf(providerId), [])
  })

  test('M22: the sign-on page says that it failed in its own words', async () => {
    const { flow, providerId } = await arrange(social())
    const { browser, flowId } = await flow()
    upstream.lies = { returned: { error: '"><img src=x onerror=1>' } }
    const answer = await browser.send(await roundTrip(browser, flowId, providerId, upstream))
    upstream.lies = {}
    const page = await browser.send(ownPath(stile(), answer.headers.get('location') ?? ''))
    assert.equal(page.status, 200)
    assert.match(page.text, /did not succeed/)
    assert.doesNotMatch(page.text, /onerror/)
  })

  test('M06: of ten at once, one comes back', async () => {
    const { flow, providerId } = await arrange(social())
    for (let round = 0; round < 3; round++) {
      upstream.user = person()
      const { browser, flowId } = await flow()
      const back = await roundTrip(browser, flowId, providerId, upstream)
      const exchanges = upstream.exchanges.length
      const answers = await Promise.all(Array.from({ length: 10 }, () => browser.send(back)))
      assert.equal(answers.filter(({ status }) => status === 302).length, 1)
      assert.equal(upstream.exchanges.length, exchanges + 1, 'the code is redeemed once')
      assert.equal((await stateOf(stile(), flowId)).status, 'COMPLETED')
    }
  })

  test('M08: an account is linked by its address only where both have verified it and the provider is its authority', async () => {
    const matrix = [true, false].flatMap((isVerifiedHere) =>
      [true, false, undefined, 'true', 'false'].flatMap((claimed) =>
        [true, false].map((isTrusted) => ({ isVerifiedHere, claimed, isTrusted })),
      ),
    )
    for (const { isVerifiedHere, claimed, isTrusted } of matrix) {
      const { flow, providerId } = await arrange(social({ enabled: false }), {
        trustedEmailDomains: isTrusted ? ['corp.example'] : ['other.example'],
      })
      const email = `v-${randomUUID()}@corp.example`
      const victim = await addUser(stile(), { email, password: { value: password } })
      if (isVerifiedHere) await markVerified(victim.id)
      upstream.user = person({ email, ...(claimed === undefined ? {} : { email_verified: claimed }) })
      const { browser, flowId } = await flow()
      const { status } = await comeBack(browser, flowId, providerId, upstream)
      const isLinked = isVerifiedHere && claimed === true && isTrusted
      assert.equal(
        status,
        isLinked ? 'COMPLETED' : 'ACCOUNT_LINKING_REQUIRED',
        JSON.stringify({ isVerifiedHere, claimed, isTrusted }),
      )
      assert.deepEqual(
        (await linksOf(providerId)).map(({ user_id }) => user_id),
        isLinked ? [victim.id] : [],
      )
    }
  })

  async function markVerified(userId: string): Promise<void> {
    await stile().node.kernel.storage.commit({
      name: 'test.verify',
      *run() {
        const [row] = (yield {
          text: 'SELECT document FROM users WHERE environment_id = $1 AND id = $2',
          values: [stile().environmentId, userId],
        }) as readonly { document: string }[]
        const document = JSON.stringify({ ...JSON.parse(row?.document ?? '{}'), emailVerified: true })
        yield {
          text: 'UPDATE users SET document = $3 WHERE environment_id = $1 AND id = $2',
          values: [stile().environmentId, userId, document],
        }
      },
    })
  }

  test('M08, M10: the password of the account links it, a wrong one and a name alone do not', async () => {
    const { flow, providerId } = await arrange(social())
    const { username, id } = await addUser(stile(), { password: { value: password } })
    upstream.user = person({ name_here: username })
    const { browser, flowId } = await flow()
    const waiting = await comeBack(browser, flowId, providerId, upstream)
    assert.equal(waiting.status, 'ACCOUNT_LINKING_REQUIRED')
    assert.equal(waiting._embedded.user, undefined)
    const wrong = await browser.act(flowId, 'usernamePassword.check', { username, password: 'CANARY-wrong' })
    assert.equal(wrong.json.details[0].code, 'INVALID_CREDENTIALS')
    assert.deepEqual(await linksOf(providerId), [])
    const right = await browser.act(flowId, 'usernamePassword.check', { username, password })
    assert.equal(right.json.status, 'COMPLETED', right.text)
    assert.deepEqual(
      (await linksOf(providerId)).map(({ user_id }) => user_id),
      [id],
    )
    const state = await stateOf(stile(), flowId)
    assert.deepEqual(
      state.proofs.map(({ method }) => method),
      ['idp', 'pwd'],
    )
  })

  test('M09: what links an account does it in its own flow, for the account that came back there, and once', async () => {
    const { flow, providerId } = await arrange(social({ enabled: false }))
    const user = await addUser(stile(), { password: { value: password } })
    const arriving = async () => {
      upstream.user = person()
      const arranged = await flow()
      const waiting = await comeBack(arranged.browser, arranged.flowId, providerId, upstream)
      assert.equal(waiting.status, 'ACCOUNT_LINKING_REQUIRED')
      return { ...arranged, subject: String(upstream.user['sub']) }
    }
    const [linking, other] = [await arriving(), await arriving()]
    const proof = { username: user.username, password }
    assert.equal((await linking.browser.act(linking.flowId, 'usernamePassword.check', proof)).json.status, 'COMPLETED')
    const subjects = async () => (await linksOf(providerId)).map(({ external_id: subject }) => subject)
    assert.deepEqual(await subjects(), [linking.subject])
    // Neither once more in the same flow, nor for the account that waits in another.
    assert.equal((await linking.browser.act(linking.flowId, 'usernamePassword.check', proof)).status, 400)
    assert.notEqual((await other.browser.act(other.flowId, 'usernamePassword.check', proof)).status, 200)
    assert.notEqual((await stateOf(stile(), other.flowId)).status, 'COMPLETED')
    assert.deepEqual(await subjects(), [linking.subject])
    // What was proved does not bring a link back that was taken away.
    const [{ id }] = (await stile().api('GET', `/users/${user.id}/linkedAccounts`)).json._embedded.linkedAccounts
    assert.equal((await stile().api('DELETE', `/users/${user.id}/linkedAccounts/${id}`)).status, 204)
    assert.equal((await linking.browser.act(linking.flowId, 'usernamePassword.check', proof)).status, 400)
    assert.deepEqual(await subjects(), [])
  })

  test('M12: ten links of one account at once: one holds; a second account of the user is refused', async () => {
    const { flow, providerId } = await arrange(social({ enabled: false }))
    const subject = person()
    upstream.user = subject
    const waiting = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const user = await addUser(stile(), { password: { value: password } })
        const arranged = await flow()
        await comeBack(arranged.browser, arranged.flowId, providerId, upstream)
        return { ...arranged, username: user.username as string }
      }),
    )
    const answers = await Promise.all(
      waiting.map(({ browser, flowId, username }) =>
        browser.act(flowId, 'usernamePassword.check', { username, password }),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1, answers.map(({ text }) => text).join('\n'))
    for (const { status, json } of answers)
      if (status !== 200) assert.equal(json.details[0].code, 'CONSTRAINT_VIOLATION')
    assert.equal((await linksOf(providerId)).length, 1)
    const winner = waiting[answers.findIndex(({ status }) => status === 200)]
    upstream.user = person()
    const again = await flow()
    await comeBack(again.browser, again.flowId, providerId, upstream)
    const second = await again.browser.act(again.flowId, 'usernamePassword.check', {
      username: winner?.username,
      password,
    })
    assert.equal(second.status, 400)
    assert.equal((await linksOf(providerId)).length, 1)
  })

  test('M12: ten accounts for one subject at once: one is made', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const backs = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { browser, flowId } = await flow()
        return { browser, flowId, path: await roundTrip(browser, flowId, providerId, upstream) }
      }),
    )
    await Promise.all(backs.map(({ browser, path }) => browser.send(path)))
    const states = await Promise.all(backs.map(({ flowId }) => stateOf(stile(), flowId)))
    const users = new Set(states.flatMap(({ outcome }) => outcome?.userId ?? []))
    assert.equal(users.size, 1, 'all are the same person')
    assert.equal((await linksOf(providerId)).length, 1)
  })

  test('M13: a finished way back, opened by somebody else who is signed on, does nothing', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const attacker = await flow()
    const back = await roundTrip(attacker.browser, attacker.flowId, providerId, upstream)
    const victim = await addUser(stile(), { password: { value: password } })
    const { browser, flowId } = await flow()
    await browser.act(flowId, 'usernamePassword.check', { username: victim.username, password })
    assert.equal((await browser.send(back)).status, 404)
    assert.deepEqual(await linksOf(providerId), [])
  })

  test('M14: a provider that is disabled, or not in the policy, is refused at the start, on the way back and in the view', async () => {
    const { flow, providerId } = await arrange(social())
    const foreign = await newIdentityProvider(stile(), other)
    upstream.user = person()
    const { browser, flowId } = await flow()
    const at = (id: string) => `/${stile().environmentId}/rp/authenticate?providerId=${id}&flowId=${flowId}`
    assert.equal((await browser.send(at(foreign))).status, 404)
    assert.equal((await browser.send(at(randomUUID()))).status, 404)
    const back = await roundTrip(browser, flowId, providerId, upstream)
    const { json } = await stile().api('GET', `/identityProviders/${providerId}`)
    await stile().api('PUT', `/identityProviders/${providerId}`, { ...json, enabled: false })
    const answer = await browser.send(back)
    assert.match(answer.headers.get('location') ?? '', /error=/)
    assert.equal((await browser.send(at(providerId))).status, 404)
    const shown = (await browser.send(`/${stile().environmentId}/flows/${flowId}`)).json
    assert.equal(shown._embedded.socialProviders, undefined)
    assert.equal(shown.status, 'USERNAME_PASSWORD_REQUIRED')
  })

  test('M14: IDENTITY_PROVIDER with a disabled provider fails', async () => {
    const { providerId, client } = await arrange((id) => [{ type: 'IDENTITY_PROVIDER', identityProvider: { id } }])
    const { json } = await stile().api('GET', `/identityProviders/${providerId}`)
    await stile().api('PUT', `/identityProviders/${providerId}`, { ...json, enabled: false })
    const failed = await authorize(new Browser(stile()), 'pi.flow', { client_id: client })
    assert.equal(failed.status, 403)
    assert.match(failed.text, /The identity provider cannot be used to sign on/)
  })

  test('IDENTITY_PROVIDER, then LOGIN: both are asked for, and the provider is told what the policy says', async () => {
    const { flow, providerId } = await arrange((id) => [
      {
        type: 'IDENTITY_PROVIDER',
        identityProvider: { id },
        acrValues: 'MFA',
        passUserContext: true,
        registration: { enabled: true },
      },
      { type: 'LOGIN' },
    ])
    upstream.user = person()
    const { browser, flowId } = await flow()
    const shown = (await browser.send(`/${stile().environmentId}/flows/${flowId}`)).json
    assert.equal(shown.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
    assert.equal(shown._embedded.identityProvider.id, providerId)
    const { searchParams } = new URL(await leave(browser, flowId, providerId))
    assert.equal(searchParams.get('acr_values'), 'MFA')
    assert.equal(searchParams.get('login_hint'), null)
    assert.equal((await comeBack(browser, flowId, providerId, upstream)).status, 'PASSWORD_REQUIRED')
  })

  test('discovery rules send by the name that is typed, whether or not anybody has it (J29)', async () => {
    const { flow, providerId } = await arrange((id) => [
      {
        type: 'IDENTIFIER_FIRST',
        registration: { enabled: true },
        discoveryRules: [
          { condition: { contains: '@corp.example', value: '${identifier}' }, identityProvider: { id } },
        ],
      },
      { type: 'LOGIN' },
    ])
    const known = await addUser(stile(), { username: `k-${randomUUID()}@corp.example`, password: { value: password } })
    const answers: Answer['json'][] = []
    for (const username of [known.username, `nobody-${randomUUID()}@CORP.example`]) {
      const { browser, flowId } = await flow()
      const { json } = await browser.act(flowId, 'user.lookup', { username })
      assert.equal(json.status, 'EXTERNAL_AUTHENTICATION_REQUIRED')
      const { id: _, createdAt: _c, expiresAt: _e, ...rest } = json
      answers.push(JSON.parse(JSON.stringify(rest).replaceAll(flowId, 'FLOW')))
      assert.equal(new URL(await leave(browser, flowId, providerId)).searchParams.get('login_hint'), username)
    }
    assert.deepEqual(answers[0], answers[1])
    const { browser, flowId } = await flow()
    const local = await browser.act(flowId, 'user.lookup', { username: 'someone@elsewhere.example' })
    assert.equal(local.json.status, 'PASSWORD_REQUIRED')
    upstream.user = person()
    const elsewhere = await flow()
    await elsewhere.browser.act(elsewhere.flowId, 'user.lookup', { username: 'new@corp.example' })
    const done = await comeBack(elsewhere.browser, elsewhere.flowId, providerId, upstream)
    assert.equal(done.status, 'COMPLETED', 'no password beside the provider')
  })

  test('J29: whoever comes back is whom the provider says, whether or not anybody has the name that led there', async () => {
    const { flow, providerId } = await arrange((id) => [
      {
        type: 'IDENTIFIER_FIRST',
        discoveryRules: [
          { condition: { contains: '@corp.example', value: '${identifier}' }, identityProvider: { id } },
        ],
      },
      { type: 'LOGIN' },
    ])
    const known = await addUser(stile(), { username: `k-${randomUUID()}@corp.example`, password: { value: password } })
    const linked = await addUser(stile(), { password: { value: password } })
    const subject = person()
    const link = { identityProvider: { id: providerId }, externalId: subject.sub }
    assert.equal((await stile().api('POST', `/users/${linked.id}/linkedAccounts`, link)).status, 201)
    for (const username of [known.username, `nobody-${randomUUID()}@corp.example`]) {
      const named = async () => {
        const { browser, flowId } = await flow()
        await browser.act(flowId, 'user.lookup', { username })
        return { browser, flowId }
      }
      upstream.user = subject
      const owner = await named()
      const done = await comeBack(owner.browser, owner.flowId, providerId, upstream)
      assert.deepEqual([done.status, done._embedded.user?.id], ['COMPLETED', linked.id], username)
      upstream.user = person()
      const stranger = await named()
      const waiting = await comeBack(stranger.browser, stranger.flowId, providerId, upstream)
      assert.equal(waiting.status, 'ACCOUNT_LINKING_REQUIRED')
      const proof = { username: linked.username, password: 'wrong' }
      const refused = await stranger.browser.act(stranger.flowId, 'usernamePassword.check', proof)
      assert.equal(refused.json.details[0].code, 'INVALID_CREDENTIALS', username)
    }
  })

  test('what a provider said is confirmed, changed, and only what it said', async () => {
    const { flow, providerId } = await arrange(social({ enabled: true, confirmIdentityProviderAttributes: true }))
    upstream.user = person({ email: 'confirm@idp.example', email_verified: true })
    const { browser, flowId } = await flow()
    const waiting = await comeBack(browser, flowId, providerId, upstream)
    assert.equal(waiting.status, 'ACCOUNT_CONFIRMATION_REQUIRED')
    assert.deepEqual(waiting._embedded.externalAuthentication.attributes, {
      username: upstream.user['name_here'],
      email: 'confirm@idp.example',
    })
    const username = `chosen-${randomUUID()}`
    const done = await browser.act(flowId, 'user.confirm', { username, title: 'Queen', enabled: false })
    assert.equal(done.json.status, 'COMPLETED', done.text)
    const user = await userNamed(username)
    assert.deepEqual([user.email, user.title, user.enabled], ['confirm@idp.example', undefined, true])
  })

  test('M17: claims named like what decides set nothing', async () => {
    const { flow, providerId } = await arrange(social())
    const population = await addPopulation(stile())
    upstream.user = person({
      roles: ['Organization Admin'],
      population: { id: population },
      enabled: false,
      id: randomUUID(),
      mfaEnabled: true,
      username: 'admin',
      title: 'not mapped',
    })
    const { browser, flowId } = await flow()
    assert.equal((await comeBack(browser, flowId, providerId, upstream)).status, 'COMPLETED')
    const user = await userNamed(String(upstream.user['name_here']))
    assert.deepEqual(
      [user.population.id === population, user.enabled, user.mfaEnabled, user.title],
      [false, true, false, undefined],
    )
    assert.deepEqual(await rows(stile(), 'role_assignments', 'actor_id = $2', user.id), [])
  })

  test('M18: mapped values follow the provider, except a name or address that is somebody else’s', async () => {
    const { flow, providerId } = await arrange(social())
    await mapAttributes(stile(), providerId, {
      username: ['${providerAttributes.name_here}', 'ALWAYS'],
      email: ['${providerAttributes.email}', 'ALWAYS'],
      'name.given': ['${providerAttributes.given_name}', 'ALWAYS'],
      title: ['${providerAttributes.title}', 'EMPTY_ONLY'],
    })
    const sign = async (claims: Readonly<Record<string, unknown>>) => {
      upstream.user = claims
      const { browser, flowId } = await flow()
      const done = await comeBack(browser, flowId, providerId, upstream)
      assert.equal(done.status, 'COMPLETED')
      return (await stile().api('GET', `/users/${done._embedded.user.id}`)).json
    }
    const address = `${randomUUID()}@a.example`
    const before = person({ email: address, email_verified: true, given_name: 'Ada', title: 'Dr' })
    const first = await sign(before)
    assert.deepEqual([first.name.given, first.title], ['Ada', 'Dr'])
    await markVerified(first.id)
    const moved = { ...before, email: `${randomUUID()}@b.example`, given_name: 'Grace', title: 'Sir' }
    const second = await sign(moved)
    assert.deepEqual(
      [second.name.given, second.title, second.email, second.emailVerified],
      ['Grace', 'Dr', moved.email, false],
    )
    const told = await inboxOf(stile(), address)
    assert.deepEqual(
      told.map(({ template }) => template),
      ['email_address_changed_admin'],
      'K34',
    )
    const victim = await addUser(stile(), { email: `${randomUUID()}@v.example` })
    const third = await sign({ ...moved, email: victim.email, name_here: victim.username })
    assert.deepEqual([third.email, third.username], [moved.email, second.username])
    assert.equal((await stile().api('GET', `/users/${victim.id}`)).json.email, victim.email)
  })

  test('M19: a disabled or locked user is refused, whatever the provider says', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const first = await flow()
    const { _embedded } = await comeBack(first.browser, first.flowId, providerId, upstream)
    const user = { id: _embedded.user.id as string, username: '', password: '' }
    const attempt = async () => {
      const { browser, flowId } = await flow()
      const state = await comeBack(browser, flowId, providerId, upstream)
      assert.deepEqual([state.status, state.error.code], ['FAILED', 'ACCOUNT_NOT_USABLE'])
      assert.equal((await browser.resume(flowId)).json.authorizeResponse, undefined)
    }
    await enable(stile(), user, false)
    await attempt()
    await enable(stile(), user, true)
    const lock = { mediaType: 'application/vnd.pingidentity.account.lock+json' }
    await stile().api('POST', `/users/${user.id}`, {}, lock)
    await attempt()
  })

  test('enforceLockoutForIdentityProviders: a lock-out of the password holds here too, where the action says so', async () => {
    for (const isEnforced of [true, false]) {
      const { flow, providerId } = await arrange((id) => [
        { type: 'LOGIN', socialProviders: [{ id }], enforceLockoutForIdentityProviders: isEnforced },
      ])
      const { username } = await addUser(stile(), { password: { value: password } })
      upstream.user = person({ name_here: username })
      const first = await flow()
      await comeBack(first.browser, first.flowId, providerId, upstream)
      await first.browser.act(first.flowId, 'usernamePassword.check', { username, password })
      const guessing = await flow()
      for (let guess = 0; guess < 7; guess++) {
        await guessing.browser.act(guessing.flowId, 'usernamePassword.check', { username, password: 'CANARY-wrong' })
      }
      const { browser, flowId } = await flow()
      const answer = await browser.send(await roundTrip(browser, flowId, providerId, upstream))
      assert.equal(/error=/.test(answer.headers.get('location') ?? ''), isEnforced)
      assert.equal((await stateOf(stile(), flowId)).status === 'COMPLETED', !isEnforced)
    }
  })

  test('enforceLockoutForIdentityProviders: nor does an account that would be linked by its address go round it', async () => {
    for (const isEnforced of [true, false]) {
      const { flow, providerId } = await arrange(
        (id) => [{ type: 'LOGIN', socialProviders: [{ id }], enforceLockoutForIdentityProviders: isEnforced }],
        { trustedEmailDomains: ['corp.example'] },
      )
      const email = `l-${randomUUID()}@corp.example`
      const { id, username } = await addUser(stile(), { email, password: { value: password } })
      await markVerified(id)
      upstream.user = person({ email, email_verified: true })
      const guessing = await flow()
      for (let guess = 0; guess < 7; guess++) {
        await guessing.browser.act(guessing.flowId, 'usernamePassword.check', { username, password: 'CANARY-wrong' })
      }
      const { browser, flowId } = await flow()
      const answer = await browser.send(await roundTrip(browser, flowId, providerId, upstream))
      assert.equal(/error=/.test(answer.headers.get('location') ?? ''), isEnforced)
      assert.equal((await linksOf(providerId)).length, isEnforced ? 0 : 1)
    }
  })

  test('M20: nothing of the provider is kept: neither its tokens nor the values of the round trip', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const sent = new URL(await leave(browser, flowId, providerId)).searchParams
    const pending = JSON.stringify(await rows(stile(), 'external_authentications'))
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(!pending.includes(sent.get(name) ?? 'x'), name)
    await comeBack(browser, flowId, providerId, upstream)
    const kept = JSON.stringify([
      await rows(stile(), 'flows'),
      await rows(stile(), 'events'),
      await rows(stile(), 'users'),
    ])
    assert.ok(!kept.includes(upstream.exchanges.at(-1)?.form.get('code') ?? 'x'))
    assert.doesNotMatch(kept, /CANARY-upstream/)
  })

  test('M25: two providers with the same subject, name and address are two people', async () => {
    const same = person({ email: `${randomUUID()}@idp.example`, email_verified: true })
    upstream.user = same
    other.user = same
    const one = await arrange(social())
    const two = await arrange(social(), { provider: other })
    const first = await one.flow()
    assert.equal((await comeBack(first.browser, first.flowId, one.providerId, upstream)).status, 'COMPLETED')
    const second = await two.flow()
    const waiting = await comeBack(second.browser, second.flowId, two.providerId, other)
    assert.equal(waiting.status, 'ACCOUNT_LINKING_REQUIRED')
    assert.deepEqual(await linksOf(two.providerId), [])
    const username = `two-${randomUUID()}`
    const body = { username, email: `${username}@example.com`, password }
    const registered = await second.browser.act(second.flowId, 'user.register', body)
    assert.equal(registered.json.status, 'VERIFICATION_CODE_REQUIRED', registered.text)
    assert.deepEqual(
      (await linksOf(two.providerId)).map(({ user_id }) => user_id),
      [registered.json._embedded.user.id],
    )
  })

  test('a form that a provider had posted comes again as a navigation', async () => {
    const { flow, providerId } = await arrange(social())
    upstream.user = person()
    const { browser, flowId } = await flow()
    const back = await roundTrip(browser, flowId, providerId, upstream)
    const [path = '', query = ''] = back.split('?')
    const posted = await stile().send(path, {
      body: new URLSearchParams(`${query}&user=%7B%7D`),
      headers: { origin: 'https://appleid.apple.com', 'sec-fetch-site': 'cross-site' },
    })
    assert.equal(posted.status, 303)
    const again = new URL(posted.headers.get('location') ?? '')
    assert.equal(again.pathname, path)
    const sorted = (parameters: URLSearchParams) => [...parameters].toSorted()
    assert.deepEqual(sorted(again.searchParams), sorted(new URLSearchParams(query)))
    assert.equal((await browser.send(back)).status, 302)
  })

  test('G01: a provider at an address that is not public is refused when written, and named', async () => {
    const body = providerBody('https://10.0.0.5', 'CANARY')
    assert.equal((await stile().api('POST', '/identityProviders', body)).status, 400)
  })
})
