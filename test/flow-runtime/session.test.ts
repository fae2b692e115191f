/** The session cookie (decision D1), the end of a session, and other environments (rows F18, I02, I03, I13, I15, I20, I22, I26, J02, J18). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { hashSessionToken } from '../../src/directory/session-cookie.ts'
import { Browser, piFlowRequest, pkce, redeem } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import {
  authorize,
  begin,
  bodyOf,
  type Door,
  flowIn,
  newPerson,
  type Person,
  removeRows,
  rowOf,
  rows,
} from './arrange.ts'

interface SessionRow {
  readonly id: string
  readonly user_id: string
  readonly token_hash: string
}

suite('a session and its browser', () => {
  let stile: Stile
  before(async () => {
    stile = await startStile()
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`
  const check = (browser: Browser, flowId: string, person: Person = stile.user) =>
    browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
  const sessionsOf = ({ id }: Person) => rows<SessionRow>(stile, 'sessions', 'user_id = $2', id)
  const withCookie = (cookie: string | undefined) => Object.assign(new Browser(stile), { cookie })
  const isSignedOn = async (browser: Browser) => {
    const { json } = await withCookie(browser.cookie).authorize(
      piFlowRequest(stile, pkce().challenge, { prompt: 'none' }),
    )
    return json.details?.[0]?.code !== 'LOGIN_REQUIRED'
  }

  suite('the session cookie (D1)', () => {
    const attributes = (answer: Answer) => {
      const lines = answer.headers.getSetCookie()
      assert.equal(lines.length, 1)
      const [pair = '', ...rest] = (lines[0] ?? '').split('; ')
      return { pair, rest }
    }

    test('I01, D1: authorize sets it when it is absent: a random UUID, for this environment, out of the reach of scripts', async () => {
      for (const door of ['pi.flow', 'redirect'] as const) {
        const { pair, rest } = attributes(await authorize(new Browser(stile), door))
        assert.match(pair, /^ST=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        const [expires] = rest.splice(2, 1)
        assert.deepEqual(rest, [`Path=/${stile.environmentId}`, 'Max-Age=2592000', 'HttpOnly', 'SameSite=Lax'])
        const days = (Date.parse((expires ?? '').replace('Expires=', '')) - Date.now()) / 86_400_000
        assert.ok(Math.abs(days - 30) < 0.01)
      }
    })

    test('it stays while it is known, and storage holds only its hash', async () => {
      const browser = new Browser(stile)
      const flowId = await begin(browser)
      const token = browser.cookie?.slice(3) ?? ''
      assert.deepEqual((await authorize(browser, 'pi.flow')).headers.getSetCookie(), [])
      const row = await rowOf(stile, flowId)
      assert.equal(row?.token_hash, hashSessionToken(token))
      assert.ok(!JSON.stringify(row).includes(token))
    })

    test('I02: it is replaced at every sign-on; session.id stays when the same user authenticates again', async () => {
      const browser = new Browser(stile)
      const person = await newPerson(stile)
      const cookies = [browser.cookie]
      let sessionId: string | undefined
      for (const more of [{}, { max_age: '0' }, { prompt: 'login' }] as readonly Record<string, string>[]) {
        const flowId = await begin(browser, 'pi.flow', more)
        cookies.push(browser.cookie)
        const { json } = await check(browser, flowId, person)
        assert.equal(json.status, 'COMPLETED')
        sessionId ??= json.session.id
        assert.equal(json.session.id, sessionId)
        assert.ok(!cookies.includes(browser.cookie), 'a new token')
        assert.equal((await sessionsOf(person)).length, 1)
        for (const old of cookies) assert.equal(await isSignedOn(withCookie(old)), false, 'an old token is nobody')
      }
      assert.ok(await isSignedOn(browser))
    })

    test('F18: a cookie that is empty, written otherwise, guessed or with more in it is no session and opens no flow', async () => {
      const browser = new Browser(stile)
      const open = await begin(browser, 'redirect')
      const signedOn = new Browser(stile)
      const completed = await begin(signedOn, 'redirect')
      const { json } = await check(signedOn, completed, await newPerson(stile))
      assert.equal(json.status, 'COMPLETED')
      assert.ok(await isSignedOn(signedOn))
      for (const own of [browser.cookie, signedOn.cookie]) {
        const token = own?.slice(3) ?? ''
        const forged = [
          '',
          token.toUpperCase(),
          token.replaceAll('-', ''),
          token.replace('-', '%2D'),
          `"${token}"`,
          `${token}.`,
          `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
          Buffer.from(token).toString('base64'),
          randomUUID(),
          open,
          completed,
          json.session.id,
          hashSessionToken(token),
        ]
        for (const value of forged) {
          const forger = withCookie(`ST=${value}`)
          assert.equal(await isSignedOn(forger), false, value)
          for (const flowId of [open, completed]) {
            const read = await withCookie(`ST=${value}`).flow(flowId)
            assert.ok(read.status >= 400, `${value} reads ${read.text}`)
            const acted = await check(withCookie(`ST=${value}`), flowId)
            assert.ok(acted.status >= 400, `${value} acts ${acted.text}`)
          }
          const resumed = await withCookie(`ST=${value}`).resume(completed)
          assert.ok(resumed.status >= 400 && !resumed.text.includes('authorizeResponse'), `${value}: ${resumed.status}`)
        }
      }
      assert.ok(await isSignedOn(signedOn))
      assert.equal((await browser.flow(open)).status, 200)
    })

    test('I15: another user in the same browser gets another session, sees nothing of the first, and ends it', async () => {
      const [first, second] = [await newPerson(stile), await newPerson(stile)]
      const browser = new Browser(stile)
      await check(browser, await begin(browser), first)
      const old = browser.cookie
      const [{ id: sessionId }] = (await sessionsOf(first)) as readonly [SessionRow]
      const flowId = await begin(browser, 'pi.flow', { max_age: '0' })
      const reset = await browser.act(flowId, 'session.reset', {})
      assert.deepEqual([reset.json.status, reset.json.session], ['USERNAME_PASSWORD_REQUIRED', undefined])
      assert.ok(!reset.text.includes(first.id) && !reset.text.includes(first.username))
      const done = await check(browser, flowId, second)
      assert.equal(done.json.status, 'COMPLETED')
      assert.notEqual(done.json.session.id, sessionId)
      assert.ok(!done.text.includes(first.id) && !done.text.includes(first.username))
      assert.deepEqual(await sessionsOf(first), [])
      assert.equal(await isSignedOn(withCookie(old)), false)
      assert.equal((await sessionsOf(second)).length, 1)
    })

    test('I26, D1: two cookies of that name are refused, whichever is the right one', async () => {
      const { browser, flowId } = await flowIn(stile, 'PASSWORD_REQUIRED')
      const stored = await rowOf(stile, flowId)
      for (const other of [`ST=${randomUUID()}`, 'ST=x', browser.cookie as string]) {
        for (const cookie of [`${browser.cookie}; ${other}`, `${other};${browser.cookie}`]) {
          const headers = { cookie }
          for (const [at, call] of [
            [path(flowId), {}],
            [`/${stile.environmentId}/as/resume?flowId=${flowId}`, {}],
            [path(flowId), { body: {}, mediaType: 'application/vnd.pingidentity.session.reset+json' }],
          ] as const) {
            const answer = await stile.send(at, { ...call, headers })
            assert.deepEqual([answer.status, answer.json.code], [400, 'INVALID_REQUEST'], cookie)
          }
          const asked = await stile.send(
            `/${stile.environmentId}/as/authorize?${new URLSearchParams(piFlowRequest(stile, pkce().challenge))}`,
            { headers },
          )
          assert.equal(asked.status, 400)
        }
      }
      assert.deepEqual(await rowOf(stile, flowId), stored)
    })

    test('a cookie that this server would not have set is no cookie', async () => {
      for (const value of ['', 'x', '../../etc', `${randomUUID()}0`, randomUUID().toUpperCase(), '"quoted"']) {
        const browser = withCookie(`ST=${value}`)
        await begin(browser)
        assert.match(browser.cookie ?? '', /^ST=[0-9a-f-]{36}$/)
        assert.notEqual(browser.cookie, `ST=${value}`)
      }
    })

    test('I03: a cookie planted before the sign-on is nobody afterwards, and reaches the flow no more', async () => {
      const attacker = new Browser(stile)
      await begin(attacker, 'redirect')
      const planted = attacker.cookie
      const victim = withCookie(planted)
      const flowId = await begin(victim, 'redirect')
      await check(victim, flowId)
      assert.notEqual(victim.cookie, planted)
      assert.equal(await isSignedOn(attacker), false)
      assert.equal((await attacker.send(path(flowId))).status, 404)
      assert.equal((await attacker.resume(flowId)).status, 404)
      assert.equal((await victim.resume(flowId)).status, 302)
    })
  })

  suite('the end of a session', () => {
    const doors: readonly Door[] = ['pi.flow', 'redirect']
    /** Whatever ends it: its row is removed. */
    const endSession = (person: Person) => removeRows(stile, 'sessions', 'user_id = $2', person.id)

    for (const door of doors) {
      test(`I13, ${door}: its cookie is nobody, and a flow it completed gives no code any more`, async () => {
        const { browser, flowId, person } = await flowIn(stile, 'COMPLETED', door)
        await endSession(person)
        assert.equal(await isSignedOn(browser), false)
        const resumed = await browser.resume(flowId)
        assert.equal(resumed.status, 404)
        assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', person.id), [])
      })
    }

    for (const door of doors) {
      test(`I13, ${door}: a flow that began with it ends with it, for the browser that still has the cookie`, async () => {
        const { browser, flowId, person } = await flowIn(stile, 'PASSWORD_REQUIRED', door)
        const { cookie } = browser
        await endSession(person)
        const gone = await browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}`)
        for (const answer of [
          await browser.flow(flowId),
          await check(browser, flowId, person),
          await browser.resume(flowId),
          gone,
        ]) {
          assert.equal(answer.status, 404, answer.text)
        }
        assert.match(gone.headers.get('cache-control') ?? '', /no-store/)
        assert.equal(browser.cookie, cookie)
        assert.deepEqual(await sessionsOf(person), [])
      })
    }

    test('I20: with the user gone or the session ended, the next request of a token is 401', async () => {
      for (const end of [
        endSession,
        async ({ id }: Person) => void assert.equal((await stile.api('DELETE', `/users/${id}`)).status, 204),
        async ({ id }: Person) =>
          void assert.equal((await stile.api('PUT', `/users/${id}/enabled`, { enabled: false })).status, 200),
      ]) {
        const person = await newPerson(stile)
        const browser = new Browser(stile)
        await check(browser, await begin(browser), person)
        const { verifier, challenge } = pkce()
        const { json } = await browser.authorize(piFlowRequest(stile, challenge))
        const token = (await redeem(stile, json.authorizeResponse.code, verifier)).json.access_token
        const userinfo = () => stile.send(`/${stile.environmentId}/as/userinfo`, { token })
        assert.equal((await userinfo()).status, 200)
        await end(person)
        assert.equal((await userinfo()).status, 401)
        assert.equal(await isSignedOn(browser), false)
      }
    })
  })

  suite('another environment', () => {
    let other: Stile['environmentId']
    let application: string
    const twin = 'CANARY-Twin-27'
    before(async () => {
      const license = (await stile.api('GET', `/v1/organizations/${stile.organizationId}/licenses`)).json._embedded
        .licenses[0].id
      const body = { name: 'Other', type: 'SANDBOX', region: 'NA', license: { id: license } }
      other = (await stile.api('POST', '/v1/environments', body)).json.id
      const within = (method: string, at: string, sent: unknown, call = {}) =>
        stile.api(method, `/v1/environments/${other}${at}`, sent, call)
      const population = (await within('POST', '/populations', { name: 'People', default: true })).json.id
      const user = (await within('POST', '/users', { username: stile.user.username, population: { id: population } }))
        .json.id
      const mediaType = 'application/vnd.pingidentity.password.set+json'
      await within('PUT', `/users/${user}/password`, { value: twin, bypassPolicy: true }, { mediaType })
      const native = {
        name: 'Other application',
        enabled: true,
        type: 'NATIVE_APP',
        protocol: 'OPENID_CONNECT',
        responseTypes: ['CODE'],
        grantTypes: ['AUTHORIZATION_CODE'],
        tokenEndpointAuthMethod: 'NONE',
        redirectUris: ['http://127.0.0.1/callback'],
      }
      application = (await within('POST', '/applications', native)).json.id
    })

    const inOther = (browser: Browser, more = {}) =>
      browser.send(
        `/${other}/as/authorize?${new URLSearchParams({ ...piFlowRequest(stile, pkce().challenge), client_id: application, ...more })}`,
      )

    test('I22: a session is nothing in another environment, even for a user of the same name', async () => {
      const browser = new Browser(stile)
      await check(browser, await begin(browser))
      const none = await inOther(withCookie(browser.cookie), { prompt: 'none' })
      assert.equal(none.json.details[0].code, 'LOGIN_REQUIRED')
      const flow = await inOther(withCookie(browser.cookie))
      assert.equal(flow.json.status, 'USERNAME_PASSWORD_REQUIRED')
      const wrong = { username: stile.user.username, password: stile.user.password }
      const mediaType = 'application/vnd.pingidentity.usernamePassword.check+json'
      const refused = await browser.send(`/${other}/flows/${flow.json.id}`, { body: wrong, mediaType })
      assert.equal(refused.status, 400)
      const body = { ...wrong, password: twin }
      const accepted = await new Browser(stile).send(`/${other}/flows/${flow.json.id}`, { body, mediaType })
      assert.equal(accepted.json.status, 'COMPLETED', accepted.text)
      assert.notEqual(accepted.json._embedded.user.id, stile.user.id)
    })

    test('J02: a flow is unknown under the path of another environment', async () => {
      const { browser, flowId } = await flowIn(stile, 'PASSWORD_REQUIRED', 'redirect')
      for (const at of [
        `/${other}/flows/${flowId}`,
        `/${other}/flows/${flowId}/steps`,
        `/${other}/as/resume?flowId=${flowId}`,
      ]) {
        const [mine, unknown] = [await browser.send(at), await browser.send(at.replace(flowId, randomUUID()))]
        assert.deepEqual([mine.status, { ...mine.json, id: '' }], [404, { ...unknown.json, id: '' }])
      }
    })

    test('J18: once its environment is deleted, a flow is gone', async () => {
      const browser = new Browser(stile)
      const { json } = await inOther(browser)
      const at = `/${other}/flows/${json.id}`
      assert.equal((await browser.send(at)).status, 200)
      assert.ok((await stile.api('DELETE', `/v1/environments/${other}`)).status < 300)
      const mediaType = 'application/vnd.pingidentity.usernamePassword.check+json'
      for (const answer of [
        await browser.send(at),
        await browser.send(at, { mediaType, body: { username: stile.user.username, password: twin } }),
        await browser.send(`/${other}/as/resume?flowId=${json.id}`),
        await inOther(browser),
      ]) {
        assert.equal(answer.status, 404)
      }
    })
  })
})
