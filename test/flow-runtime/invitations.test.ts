/**
 * Accepting invitations over HTTP: authentication-api 4.1 row 14; rows K12, K16, K19, K36 and CVE-2026-1529,
 * CVE-2022-23555, CVE-2025-64708, CVE-2026-53514 behind it.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { attributeColumns } from '../../src/directory/users.ts'
import { update } from '../../src/storage/operations.ts'
import { testWorld } from '../../src/world.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { otherEnvironment } from '../oauth/registrations.ts'
import { onEachEngine, userToken, vendor } from '../platform/people.ts'
import {
  addressOf,
  assign,
  begin,
  bodyOf,
  enable,
  enableMfa,
  addEmailDevice,
  codeSentTo,
  followInvitation,
  inviteCodeOf,
  newApplication,
  newPassword,
  newPerson,
  newPolicy,
  type Person,
  rows,
} from './arrange.ts'

const world = testWorld()
const week = 7 * 86_400_000

await onEachEngine(
  'invitations',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    const invited = () => newPerson(stile(), { password: null })
    const path = (code: string, environmentId = stile().environmentId) => `/${environmentId}/invite?inviteCode=${code}`
    const body = (inviteCode: string, password = newPassword()) => ({ inviteCode, password, accept: true })
    /** Lets time pass, of which the node hears as it would. */
    const advance = async (milliseconds: number) => {
      world.advance(milliseconds)
      // The first may have begun before.
      await stile().node.kernel.environments.poll()
      await stile().node.kernel.environments.poll()
    }
    const signsOn = async ({ username }: Person, password: string) => {
      const browser = new Browser(stile())
      const { json } = await browser.act(await begin(browser), 'usernamePassword.check', { username, password })
      return json.status === 'COMPLETED'
    }
    const eventsOf = async ({ id }: Person) =>
      (await rows<{ action: string }>(stile(), 'events', 'subject_id = $2', id)).map(({ action }) => action)
    const isRefused = ({ status, json, text }: Answer, target: string, code = 'INVALID_VALUE') => {
      const [detail] = json.details ?? []
      assert.deepEqual([status, json.code, detail?.code, detail?.target], [400, 'INVALID_DATA', code, target], text)
    }
    /** A person, the code they were sent, and the flow that it began. */
    async function begun(more: object = {}) {
      const person = await invited()
      const code = await inviteCodeOf(stile(), person, more)
      const browser = new Browser(stile())
      const flowId = await followInvitation(browser, code)
      return { person, code, browser, flowId }
    }
    const hasNoPassword = async ({ id }: Person) =>
      assert.deepEqual(await rows(stile(), 'passwords', 'user_id = $2', id), [])

    test('invited, accepted, signed on, and at the application, whose request the session answers', async () => {
      const clientId = await newApplication(stile(), { initiateLoginUri: 'https://app.example.com/login?from=mail' })
      const { person, code, browser, flowId } = await begun({ application: { id: clientId } })
      const token = await userToken(stile(), person.id, 'p1:read:user')
      const waiting = await browser.flow(flowId)
      assert.equal(waiting.json.status, 'INVITATION_REQUIRED')
      assert.deepEqual(
        [waiting.json._embedded.user.id, waiting.json._embedded.passwordPolicy.default],
        [person.id, true],
      )
      const password = newPassword()
      const accepted = await browser.act(flowId, 'user.acceptInvite', body(code, password))
      assert.deepEqual([accepted.status, accepted.json.status], [200, 'COMPLETED'], accepted.text)
      const resumed = await browser.resume(flowId)
      assert.equal(resumed.status, 302)
      const to = new URL(resumed.headers.get('location') ?? '')
      assert.equal(`${to.origin}${to.pathname}`, 'https://app.example.com/login')
      assert.deepEqual(Object.fromEntries(to.searchParams), {
        from: 'mail',
        iss: stile().issuer,
        login_hint: person.username,
      })
      const answer = await browser.authorize({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: 'https://app.example.com/callback',
        scope: 'openid',
        login_hint: person.username,
        code_challenge: pkce().challenge,
        code_challenge_method: 'S256',
      })
      assert.match(answer.headers.get('location') ?? '', /^https:\/\/app\.example\.com\/callback\?code=/)

      const user = (await api('GET', `/users/${person.id}`)).json
      assert.deepEqual([user.emailVerified, user.lifecycle.status], [true, 'ACCOUNT_OK'])
      assert.ok(await signsOn(person, password))
      assert.equal(
        (await api('GET', `/users/${person.id}`, undefined, { token })).status,
        401,
        'I21: earlier tokens end',
      )
      assert.ok((await eventsOf(person)).includes('USER.INVITATION_ACCEPTED'))
      const again = await browser.resume(flowId)
      assert.deepEqual([again.status, again.headers.get('location')], [200, null])
    })

    test('it ends at the home page of an application that begins no login, and else on a page', async () => {
      const home = await newApplication(stile(), { homePageUrl: 'https://app.example.com/' })
      for (const [more, location] of [
        [{ application: { id: home } }, 'https://app.example.com/'],
        [{ application: { id: await newApplication(stile()) } }, null],
        [{}, null],
      ] as const) {
        const { code, browser, flowId } = await begun(more)
        await browser.act(flowId, 'user.acceptInvite', body(code))
        const resumed = await browser.resume(flowId)
        assert.deepEqual([resumed.status, resumed.headers.get('location')], [location ? 302 : 200, location])
        if (!location) assert.match(resumed.text, /Your account is ready/)
      }
    })

    test('a sign-on page of the application itself gets the code with the flow', async () => {
      const clientId = await newApplication(stile(), { loginPageUrl: 'https://app.example.com/signon?x=1' })
      const code = await inviteCodeOf(stile(), await invited(), { application: { id: clientId } })
      const { headers } = await stile().send(path(code))
      const to = new URL(headers.get('location') ?? '')
      assert.equal(`${to.origin}${to.pathname}`, 'https://app.example.com/signon')
      assert.deepEqual([...to.searchParams.keys()], ['x', 'environmentId', 'flowId', 'inviteCode'])
      assert.equal(to.searchParams.get('inviteCode'), code)
    })

    test('K19, K36: whatever looks at the link changes nothing, and the answer is kept by nobody', async () => {
      const person = await invited()
      const code = await inviteCodeOf(stile(), person)
      const before = await rows(stile(), 'invitations', 'user_id = $2', person.id)
      for (const method of ['HEAD', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET']) {
        const { status, headers } = await stile().send(path(code), { method })
        if (method === 'HEAD') continue
        assert.equal(status, 302)
        assert.match(headers.get('cache-control') ?? '', /no-store/)
        assert.match(headers.get('referrer-policy') ?? '', /^(no-referrer|same-origin)$/)
      }
      assert.deepEqual(await rows(stile(), 'invitations', 'user_id = $2', person.id), before)
      await hasNoPassword(person)
      const browser = new Browser(stile())
      const { json } = await browser.act(await followInvitation(browser, code), 'user.acceptInvite', body(code))
      assert.equal(json.status, 'COMPLETED')
    })

    test('K36: a code that is changed, cut, lengthened, unsigned or of another environment opens nothing, and all are one answer', async () => {
      const code = await inviteCodeOf(stile(), await invited())
      const changed = `${code.startsWith('A') ? 'B' : 'A'}${code.slice(1)}`
      const unsigned = [{ alg: 'none' }, { sub: code, exp: 4_000_000_000 }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      const wrong = [changed, code.slice(0, -1), `${code}A`, code.toLowerCase(), '', `${unsigned}.`, 'x'.repeat(65)]
      const pages = await Promise.all(wrong.map((each) => stile().send(path(each))))
      const other = await otherEnvironment(stile())
      pages.push(await stile().send(path(code, other.environmentId)))
      pages.push(await stile().send(`/${stile().environmentId}/invite`))
      for (const { status, text } of pages) {
        assert.equal(status, 404, text)
        assert.equal(text, pages[0]?.text)
        assert.match(text, /This invitation is over/)
        assert.doesNotMatch(text, /<form|http-equiv="refresh"/)
      }
      assert.equal((await stile().send(`${path(code)}&inviteCode=${code}`)).status, 400, 'D11')
      await stile().node.kernel.volumeEvents.flush()
      const refused = await rows<{ action: string }>(stile(), 'events', "action = 'USER.INVITATION_REFUSED'")
      assert.ok(refused.length > 0 && !JSON.stringify(refused).includes(changed))
    })

    test('K36: in its flow the code of another person, of another flow, and of a newer invitation of the same person is none', async () => {
      const [one, other] = [await begun(), await begun()]
      isRefused(await one.browser.act(one.flowId, 'user.acceptInvite', body(other.code)), 'inviteCode')
      isRefused(await other.browser.act(other.flowId, 'user.acceptInvite', body(one.code)), 'inviteCode')
      const newer = await inviteCodeOf(stile(), one.person, { application: { id: stile().webApp.clientId } })
      isRefused(await one.browser.act(one.flowId, 'user.acceptInvite', body(newer)), 'inviteCode')
      isRefused(await one.browser.act(one.flowId, 'user.acceptInvite', body(one.code)), 'inviteCode')
      await hasNoPassword(one.person)
      const { json } = await one.browser.act(
        await followInvitation(one.browser, newer),
        'user.acceptInvite',
        body(newer),
      )
      assert.deepEqual([json.status, json._embedded.user.id], ['COMPLETED', one.person.id])
    })

    test('K20, K36: the flow is of the browser that followed the link; without its cookie the code is nothing', async () => {
      const { code, browser, flowId, person } = await begun()
      const stranger = new Browser(stile())
      assert.equal((await stranger.act(flowId, 'user.acceptInvite', body(code))).status, 404)
      await begin(stranger, 'redirect')
      assert.equal((await stranger.act(flowId, 'user.acceptInvite', body(code))).status, 404)
      await hasNoPassword(person)
      const elsewhere = await begin(browser)
      assert.equal((await browser.act(elsewhere, 'user.acceptInvite', body(code))).status, 400, 'nor in another flow')
      await hasNoPassword(person)
    })

    test('K36, CVE-2025-64708: good until its last millisecond, and not at its end, at the link and in the flow', async () => {
      const person = await invited()
      const code = await inviteCodeOf(stile(), person)
      await advance(week - 1)
      const browser = new Browser(stile())
      const flowId = await followInvitation(browser, code)
      await advance(1)
      assert.equal((await stile().send(path(code))).status, 404)
      assert.equal((await api('GET', `/users/${person.id}/invitation`)).status, 404)
      isRefused(await browser.act(flowId, 'user.acceptInvite', body(code)), 'inviteCode')
      await hasNoPassword(person)
    })

    test('K36, L38: twice: the second time it is over, at the link, in its own flow and in one begun before', async () => {
      const { code, browser, flowId, person } = await begun()
      const second = new Browser(stile())
      const secondFlow = await followInvitation(second, code)
      const password = newPassword()
      await browser.act(flowId, 'user.acceptInvite', body(code, password))
      assert.equal((await stile().send(path(code))).status, 404)
      assert.equal((await browser.act(flowId, 'user.acceptInvite', body(code))).status, 400)
      isRefused(await second.act(secondFlow, 'user.acceptInvite', body(code)), 'inviteCode')
      assert.ok(await signsOn(person, password))
    })

    test('K36: it is bound to the address it was sent to, by whatever way that has changed', async () => {
      const { code, browser, flowId, person } = await begun()
      await stile().node.kernel.storage.commit({
        name: 'test.change-address',
        *run() {
          const document = { email: `${randomUUID()}@example.com` }
          const key = { environment_id: stile().environmentId, id: person.id }
          yield* update('users', key, attributeColumns(person.username, document))
        },
      })
      assert.equal((await rows(stile(), 'invitations', 'user_id = $2', person.id)).length, 1)
      assert.equal((await stile().send(path(code))).status, 404)
      isRefused(await browser.act(flowId, 'user.acceptInvite', body(code)), 'inviteCode')
      await hasNoPassword(person)
    })

    const changes: Readonly<Record<string, (person: Person) => Promise<unknown>>> = {
      'another address': ({ id }) => api('PATCH', `/users/${id}`, { email: `${randomUUID()}@example.com` }),
      'a password meanwhile': ({ id }) =>
        api('PUT', `/users/${id}/password`, { value: newPassword() }, vendor('password.set')),
      'withdrawn meanwhile': ({ id }) => api('DELETE', `/users/${id}/invitation`),
      'disabled and enabled meanwhile': async (person) => {
        await enable(stile(), person, false)
        await enable(stile(), person, true)
      },
    }
    for (const [what, change] of Object.entries(changes)) {
      test(`K36: a flow that waits, and ${what}: its code is none any more`, async () => {
        const { code, browser, flowId, person } = await begun()
        await change(person)
        const passwords = await rows(stile(), 'passwords', 'user_id = $2', person.id)
        isRefused(await browser.act(flowId, 'user.acceptInvite', body(code)), 'inviteCode')
        assert.deepEqual(await rows(stile(), 'passwords', 'user_id = $2', person.id), passwords)
        assert.notEqual((await api('GET', `/users/${person.id}`)).json.emailVerified, true)
      })
    }

    test('K36, CVE-2026-53514: somebody who registered with the same address and never proved it accepts nothing', async () => {
      const person = await invited()
      const code = await inviteCodeOf(stile(), person)
      const squatter = await newPerson(stile())
      const changed = await api('PATCH', `/users/${squatter.id}`, { email: addressOf(person) })
      assert.deepEqual([changed.status, changed.json.emailVerified], [200, false], changed.text)
      const browser = new Browser(stile())
      await browser.act(await begin(browser), 'usernamePassword.check', bodyOf('usernamePassword.check', squatter))

      const flowId = await followInvitation(browser, code)
      const waiting = await browser.flow(flowId)
      assert.deepEqual([waiting.json.status, waiting.json._embedded.user.id], ['INVITATION_REQUIRED', person.id])
      const { username, password } = squatter
      const instead = await browser.act(flowId, 'usernamePassword.check', { username, password })
      assert.equal(instead.status, 400, 'their own password is not asked for')
      const chosen = newPassword()
      const { json } = await browser.act(flowId, 'user.acceptInvite', body(code, chosen))
      assert.deepEqual([json.status, json._embedded.user.id], ['COMPLETED', person.id], 'it is of whom it was made for')
      assert.equal((await api('GET', `/users/${squatter.id}`)).json.emailVerified, false)
      assert.deepEqual([await signsOn(squatter, chosen), await signsOn(person, chosen)], [false, true])
      assert.deepEqual(await rows(stile(), 'sessions', 'user_id = $2', squatter.id), [], 'their session has ended')
    })

    test('K16: five wrong codes, and the right one has to wait; a refused password costs no try', async () => {
      const { code, browser, flowId, person } = await begun()
      const act = (sent: object) => browser.act(flowId, 'user.acceptInvite', sent)
      for (let at = 0; at < 7; at += 1) isRefused(await act(body(code, 'weak')), 'password')
      isRefused(await act({ inviteCode: code, accept: true }), 'password', 'REQUIRED_VALUE')
      const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => act(body(`guess-${at}`))))
      const codes = answers.map(({ json }) => json.details[0].code)
      assert.equal(codes.filter((each) => each === 'INVALID_VALUE').length, 5)
      assert.equal(codes.filter((each) => each === 'LIMIT_EXCEEDED').length, 7)
      const newer = await inviteCodeOf(stile(), person)
      const other = new Browser(stile())
      const elsewhere = await followInvitation(other, newer)
      isRefused(await other.act(elsewhere, 'user.acceptInvite', body(newer)), 'inviteCode', 'LIMIT_EXCEEDED')
      await hasNoPassword(person)
      await advance(300_000)
      assert.equal((await other.act(elsewhere, 'user.acceptInvite', body(newer))).json.status, 'COMPLETED')
    })

    test('a password that the policy does not take: what it misses is said, and the code is as good as before', async () => {
      const { code, browser, flowId } = await begun()
      const refused = await browser.act(flowId, 'user.acceptInvite', body(code, 'short'))
      isRefused(refused, 'password')
      assert.ok(refused.json.details[0].innerError.unsatisfiedRequirements.includes('length'))
      const { json } = await browser.act(flowId, 'user.acceptInvite', body(code))
      assert.equal(json.status, 'COMPLETED')
    })

    test('declined: the flow has failed and says so, and the link is as good as before', async () => {
      const { code, browser, flowId, person } = await begun({ application: { id: stile().webApp.clientId } })
      const declined = await browser.act(flowId, 'user.acceptInvite', { inviteCode: code, accept: false })
      assert.deepEqual([declined.json.status, declined.json.error.code], ['FAILED', 'INVITATION_DECLINED'])
      const resumed = await browser.resume(flowId)
      assert.deepEqual([resumed.status, resumed.headers.get('location')], [200, null])
      assert.match(resumed.text, /You did not accept the invitation/)
      const events = await rows<{ document: string }>(
        stile(),
        'events',
        "action = 'FLOW.FAILED' AND subject_id = $2",
        flowId,
      )
      assert.deepEqual(
        events.map(({ document }) => JSON.parse(document)),
        [{ reason: 'invitation-declined' }],
      )
      await hasNoPassword(person)
      const { json } = await browser.act(await followInvitation(browser, code), 'user.acceptInvite', body(code))
      assert.equal(json.status, 'COMPLETED')
    })

    test('K36: it spares nothing that the policy asks for beside the password', async () => {
      const clientId = await newApplication(stile())
      await assign(
        stile(),
        clientId,
        await newPolicy(stile(), { type: 'LOGIN' }, { type: 'MULTI_FACTOR_AUTHENTICATION' }),
      )
      const person = await invited()
      await enableMfa(stile(), person)
      await addEmailDevice(stile(), person)
      const code = await inviteCodeOf(stile(), person, { application: { id: clientId } })
      // Messages of one moment have no order.
      await advance(1)
      const browser = new Browser(stile())
      const flowId = await followInvitation(browser, code)
      const accepted = await browser.act(flowId, 'user.acceptInvite', body(code))
      assert.equal(accepted.json.status, 'OTP_REQUIRED', accepted.text)
      assert.deepEqual(await rows(stile(), 'sessions', 'user_id = $2', person.id), [])
      const unfinished = await browser.resume(flowId)
      assert.match(unfinished.headers.get('location') ?? '', /\/signon\/\?flowId=/)
      const otp = await codeSentTo(stile(), addressOf(person))
      assert.equal((await browser.act(flowId, 'otp.check', { otp })).json.status, 'COMPLETED')
      assert.equal((await rows(stile(), 'sessions', 'user_id = $2', person.id)).length, 1)
    })

    test('N31: an invitation goes with its application, and no other does', async () => {
      const clientId = await newApplication(stile())
      const { person, code, browser, flowId } = await begun({ application: { id: clientId } })
      const other = await begun({ application: { id: stile().webApp.clientId } })
      assert.equal((await api('DELETE', `/applications/${clientId}`)).status, 204)
      assert.deepEqual(await rows(stile(), 'invitations', 'user_id = $2', person.id), [])
      assert.equal((await api('GET', `/users/${person.id}/invitation`)).status, 404)
      assert.equal((await new Browser(stile()).send(path(code))).status, 404)
      assert.equal((await browser.act(flowId, 'user.acceptInvite', body(code))).status, 404)
      await hasNoPassword(person)
      assert.equal((await api('GET', `/users/${other.person.id}/invitation`)).status, 200)
    })

    test('E07: whom the application does not let in gets a password and nothing else', async () => {
      const clientId = await newApplication(stile(), { accessControl: { role: { type: 'ADMIN_USERS_ONLY' } } })
      const { person, code, browser, flowId } = await begun({ application: { id: clientId } })
      const { json } = await browser.act(flowId, 'user.acceptInvite', body(code))
      assert.deepEqual([json.status, json.error.code], ['FAILED', 'APPLICATION_ACCESS_DENIED'])
      assert.deepEqual(await rows(stile(), 'sessions', 'user_id = $2', person.id), [])
      assert.match((await browser.resume(flowId)).text, /You have no access to this application/)
    })

    test('the hosted page: a form with the code, what is wrong beside its field, and on by itself', async () => {
      const person = await invited()
      const code = await inviteCodeOf(stile(), person, { application: { id: stile().webApp.clientId } })
      const browser = new Browser(stile())
      const { headers } = await browser.send(path(code))
      const { pathname, search } = new URL(headers.get('location') ?? '')
      const page = pathname + search
      const shown = await browser.send(page)
      assert.equal(shown.status, 200)
      assert.match(shown.headers.get('cache-control') ?? '', /no-store/)
      assert.match(shown.text, /<input type="hidden" name="accept" value="true">/)
      assert.ok(shown.text.includes(`name="inviteCode" value="${code}"`) && shown.text.includes(person.username))
      assert.doesNotMatch(shown.text, /session\.reset|history/)

      const bare = page.replace(/&inviteCode=.*/, '')
      const without = await browser.send(bare)
      assert.match(without.text, /Follow the link in the message/)
      assert.doesNotMatch(without.text, /<form/)
      const post = (form: Readonly<Record<string, string>>, more = {}) =>
        browser.send(bare, {
          method: 'POST',
          body: new URLSearchParams({ action: 'user.acceptInvite', inviteCode: code, accept: 'true', ...form }),
          headers: more,
        })
      const poor = await post({ password: 'short' })
      assert.equal(poor.status, 400)
      assert.match(poor.text, /id="password-error">/)
      assert.ok(poor.text.includes(`name="inviteCode" value="${code}"`) && !poor.text.includes('value="short"'))
      const wrong = await post({ password: newPassword(), inviteCode: 'wrong' })
      assert.equal(wrong.status, 400)
      assert.match(wrong.text, /was used before, or was withdrawn/)
      const foreign = await post({ password: newPassword() }, { origin: 'https://evil.example' })
      assert.equal(foreign.status, 403)
      await hasNoPassword(person)
      assert.equal((await post({ password: newPassword() })).status, 303)
      const flowId = new URL(page, stile().authUrl).searchParams.get('flowId') ?? ''
      const onward = await browser.send(bare)
      assert.ok(
        onward.text.includes(`content="0;url=${stile().authUrl}/${stile().environmentId}/as/resume?flowId=${flowId}"`),
      )
      assert.match((await browser.resume(flowId)).text, /Your account is ready/)
      assert.match((await browser.send(bare)).text, /Your account is ready/)
    })
  },
  { world },
)
