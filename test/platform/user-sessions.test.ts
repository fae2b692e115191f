/** The sessions of a user over the management API: rows I14, I20, I24, N05; decisions D4, D22. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Browser, redeem, signOn } from '../harness/sign-on.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { addPopulation, addUser, administrator, type Json, onEachEngine, password, userToken } from './people.ts'

await onEachEngine('sessions of a user', (stile) => {
  const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
  const sessionsOf = (userId: string, call: object = {}) => api('GET', `/users/${userId}/sessions`, undefined, call)
  const person = async (more: object = {}) => addUser(stile(), { password: { value: password }, ...more })
  const userinfo = (token: string) =>
    stile().send(`/${stile().environmentId}/as/userinfo`, { headers: { authorization: `Bearer ${token}` } })

  async function signedOn(user: Json) {
    const browser = new Browser(stile())
    const { code, verifier } = await signOn(browser, { username: user.username, password })
    const token: string = (await redeem(stile(), code, verifier)).json.access_token
    return { browser, token }
  }
  const eventsOf = (sessionId: string) =>
    rows<{ readonly action: string }>(stile(), 'events', 'subject_id = $2', sessionId)

  test('the list tells of each live session what is known of it, the newest first, and nothing of its token', async () => {
    const user = await person()
    const first = await signedOn(user)
    await signedOn(user)
    const { status, json, text } = await sessionsOf(user.id)
    assert.equal(status, 200, text)
    assert.equal(json._embedded.sessions.length, 2)
    const [newest, oldest] = json._embedded.sessions
    assert.ok(newest.createdAt >= oldest.createdAt)
    assert.ok(!text.includes(first.browser.cookie?.slice(3) ?? '-'))
    assert.deepEqual(oldest.user, { id: user.id })
    assert.deepEqual(oldest.lastSignOn.authenticators, ['pwd'])
    assert.equal(oldest.lastSignOn.withAuthenticator.pwd.policy.type, 'PINGONE')
    assert.deepEqual(oldest.locations, [{ at: oldest.lastSignOn.at, remoteIp: '127.0.0.1' }])
    assert.equal(oldest.idleTimeoutInMinutes, 43_200)
    assert.equal(Date.parse(oldest.expiresAt) - Date.parse(oldest.createdAt), 30 * 86_400_000)
    const one = await api('GET', `/users/${user.id}/sessions/${oldest.id}`)
    assert.deepEqual(one.json, oldest)
    assert.equal(one.json._links.self.href.endsWith(`/users/${user.id}/sessions/${oldest.id}`), true)
    assert.deepEqual(
      (await eventsOf(oldest.id)).map(({ action }) => action),
      ['SESSION.CREATED'],
    )
  })

  test('I20, D22: an ended session is nobody, its tokens are dead, its code too; the others go on', async () => {
    const user = await person()
    const kept = await signedOn(user)
    const ended = await signedOn(user)
    const pending = await signOn(ended.browser, { username: user.username, password })
    const [{ id }] = (await sessionsOf(user.id)).json._embedded.sessions
    assert.equal((await api('DELETE', `/users/${user.id}/sessions/${id}`)).status, 204)
    assert.equal((await userinfo(ended.token)).status, 401)
    assert.equal((await userinfo(kept.token)).status, 200)
    assert.equal((await redeem(stile(), pending.code, pending.verifier)).json.error, 'invalid_grant')
    const families = await rows<{ readonly revoked_at: number | null }>(
      stile(),
      'token_families',
      'session_id = $2',
      id,
    )
    assert.ok(families.length > 0 && families.every(({ revoked_at }) => revoked_at !== null))
    assert.equal((await api('GET', `/users/${user.id}/sessions/${id}`)).status, 404)
    assert.equal((await sessionsOf(user.id)).json._embedded.sessions.length, 1)
  })

  test('I20: of twenty that end it at once, one does, and one event says so', async () => {
    const user = await person()
    await signedOn(user)
    const [{ id }] = (await sessionsOf(user.id)).json._embedded.sessions
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api('DELETE', `/users/${user.id}/sessions/${id}`)),
    )
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, ...Array<number>(19).fill(404)])
    const actions = (await eventsOf(id)).map(({ action }) => action)
    assert.equal(actions.filter((action) => action === 'SESSION.DELETED').length, 1)
  })

  test('I14: whoever signs on in the same browser ends what was issued in the session before', async () => {
    const [one, other] = [await person(), await person()]
    const { browser, token } = await signedOn(one)
    const [{ id }] = (await sessionsOf(one.id)).json._embedded.sessions
    const flow = await browser.send(
      `/${stile().environmentId}/as/authorize?${new URLSearchParams({
        client_id: stile().nativeApp.clientId,
        response_type: 'code',
        response_mode: 'pi.flow',
        scope: 'openid',
        prompt: 'login',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      })}`,
    )
    const signed = await browser.act(flow.json.id, 'usernamePassword.check', { username: other.username, password })
    assert.equal(signed.json.status, 'COMPLETED', signed.text)
    assert.deepEqual((await sessionsOf(one.id)).json._embedded.sessions, [])
    assert.equal((await userinfo(token)).status, 401)
    const families = await rows<{ readonly revoked_at: number | null }>(
      stile(),
      'token_families',
      'session_id = $2',
      id,
    )
    assert.ok(families.length > 0 && families.every(({ revoked_at }) => revoked_at !== null))
    const [theirs] = (await sessionsOf(other.id)).json._embedded.sessions
    assert.notEqual(theirs.id, id)
    assert.equal(theirs.locations.length, 1)
  })

  test('I20, I10: a session ends by its id, or by its own cookie, and by nothing a form can send', async () => {
    const [one, two] = [await person(), await person()]
    const [first, second] = [await signedOn(one), await signedOn(two)]
    const [{ id }] = (await sessionsOf(one.id)).json._embedded.sessions
    const lower = await administrator(stile(), {
      role: 'Identity Data Admin',
      type: 'POPULATION',
      id: await addPopulation(stile()),
    })
    const bare = { mediaType: 'application/vnd.pingidentity.sso.session.logout' }
    assert.equal((await api('POST', `/sessions/${id}`, {}, { ...bare, token: lower })).status, 404)
    assert.equal((await api('POST', `/sessions/${randomUUID()}`, {}, bare)).status, 404)
    assert.equal((await api('POST', `/sessions/${id}`, {}, bare)).status, 204)
    assert.equal((await userinfo(first.token)).status, 401)
    assert.equal((await api('POST', `/sessions/${id}`, {}, bare)).status, 404)

    const me = `/v1/environments/${stile().environmentId}/sessions/me`
    const cookie = second.browser.cookie ?? ''
    for (const mediaType of ['application/x-www-form-urlencoded', 'text/plain', 'application/json']) {
      const { status } = await stile().send(me, { method: 'POST', body: '{}', mediaType, headers: { cookie } })
      assert.equal(status, 415, mediaType)
    }
    assert.equal((await stile().send(me, { method: 'POST', ...bare })).status, 404)
    assert.equal((await userinfo(second.token)).status, 200)
    assert.equal((await stile().send(me, { method: 'POST', ...bare, headers: { cookie } })).status, 204)
    assert.equal((await userinfo(second.token)).status, 401)
    assert.deepEqual((await sessionsOf(two.id)).json._embedded.sessions, [])
  })

  test('I24: a session is reached through its own user alone', async () => {
    const [one, other] = [await person(), await person()]
    await signedOn(one)
    const [{ id }] = (await sessionsOf(one.id)).json._embedded.sessions
    for (const method of ['GET', 'DELETE']) {
      assert.equal((await api(method, `/users/${other.id}/sessions/${id}`)).status, 404)
      assert.equal((await api(method, `/users/${one.id}/sessions/${randomUUID()}`)).status, 404)
    }
    assert.equal((await sessionsOf(one.id)).json._embedded.sessions.length, 1)
  })

  test('I24: a user reads and ends their own by the scopes of these, and nobody else’s', async () => {
    const [one, other] = [await person(), await person()]
    const nothing = await userToken(stile(), one.id, 'openid')
    const reads = await userToken(stile(), one.id, 'p1:read:sessions')
    const ends = await userToken(stile(), one.id, 'p1:delete:sessions')
    await userToken(stile(), other.id)
    const [{ id }] = (await sessionsOf(other.id)).json._embedded.sessions
    assert.equal((await sessionsOf(one.id, { token: nothing })).status, 403)
    assert.equal((await sessionsOf(one.id, { token: ends })).status, 403)
    const own = await sessionsOf(one.id, { token: reads })
    assert.equal(own.json._embedded.sessions.length, 3)
    const path = `/users/${one.id}/sessions/${own.json._embedded.sessions[2].id}`
    assert.equal((await api('DELETE', path, undefined, { token: reads })).status, 403)
    assert.equal((await sessionsOf(other.id, { token: reads })).status, 403)
    assert.equal((await api('DELETE', `/users/${other.id}/sessions/${id}`, undefined, { token: ends })).status, 403)
    assert.equal((await sessionsOf(other.id)).json._embedded.sessions.length, 1)
    assert.equal((await api('DELETE', path, undefined, { token: ends })).status, 204)
  })

  test('N05: a session of a user of another population is answered like one that does not exist', async () => {
    const [here, there] = [await addPopulation(stile()), await addPopulation(stile())]
    const [mine, foreign] = [await person({ population: { id: here } }), await person({ population: { id: there } })]
    const token = await administrator(stile(), { role: 'Identity Data Admin', type: 'POPULATION', id: here })
    await userToken(stile(), mine.id)
    await userToken(stile(), foreign.id)
    const [{ id }] = (await sessionsOf(foreign.id)).json._embedded.sessions
    assert.equal((await sessionsOf(mine.id, { token })).json._embedded.sessions.length, 1)
    assert.equal((await sessionsOf(foreign.id, { token })).status, 404)
    for (const method of ['GET', 'DELETE']) {
      const answer = await api(method, `/users/${foreign.id}/sessions/${id}`, undefined, { token })
      assert.equal(answer.status, 404)
    }
    const reader = await administrator(stile(), { role: 'Identity Data Read Only', type: 'POPULATION', id: there })
    assert.equal((await sessionsOf(foreign.id, { token: reader })).status, 200)
    const refused = await api('DELETE', `/users/${foreign.id}/sessions/${id}`, undefined, { token: reader })
    assert.equal(refused.status, 403)
  })
})
