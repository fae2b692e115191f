/** A change of an e-mail address: the old one is told, and can take it back (rows K18, K19, K34). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { codeSentTo, inboxOf, rows } from '../flow-runtime/arrange.ts'
import { testWorld } from '../../src/world.ts'
import { addUser, type Json, onEachEngine, password, userToken, vendor } from './people.ts'

const world = testWorld()

await onEachEngine(
  'a change of an e-mail address',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    const newAddress = () => `${randomUUID()}@example.com`
    async function newUser(properties: object = {}): Promise<{ readonly id: string; readonly email: string }> {
      const email = newAddress()
      return { id: (await addUser(stile(), { email, password: { value: password }, ...properties })).id, email }
    }
    const changeOwn = async (id: string, email: string | null) => {
      const token = await userToken(stile(), id, 'p1:update:user')
      const { status, json, text } = await api('PATCH', `/users/${id}`, { email }, { token })
      assert.equal(status, 200, text)
      return { user: json as Json, token }
    }
    async function linkSentTo(email: string): Promise<string> {
      const messages = await inboxOf(stile(), email)
      const message = messages.findLast(({ template }) => template === 'email_address_changed_user')
      const [link] = /http\S+/.exec(message?.body ?? '') ?? []
      assert.ok(link, 'a link was sent')
      assert.ok(link.startsWith(`${stile().node.kernel.origins.authUrl}/${stile().environmentId}/emailChange?token=`))
      return link
    }
    const tokenOf = (link: string) => new URL(link).searchParams.get('token') ?? ''
    const here = (link: string) => new URL(link).pathname + new URL(link).search
    const take = (link: string, email: string) =>
      stile().send(`/${stile().environmentId}/emailChange`, {
        body: new URLSearchParams({ token: tokenOf(link), email }),
      })
    const userOf = async (id: string) => (await api('GET', `/users/${id}`)).json

    test('K34: the old address is told, and takes the account back; every session and token ends', async () => {
      const { id, email } = await newUser()
      const thief = newAddress()
      const { user, token } = await changeOwn(id, thief)
      assert.deepEqual([user.email, user.emailVerified], [thief, false], 'the new one is not proved')
      const link = await linkSentTo(email)
      assert.deepEqual(await inboxOf(stile(), thief), [])

      const page = await stile().send(here(link))
      assert.equal(page.status, 200)
      assert.match(page.text, /<form method="post" action="emailChange">/)
      assert.ok(!page.text.includes(email) && !page.text.includes(user.username), 'it does not say whose it is')
      assert.equal((await userOf(id)).email, thief, 'looking changes nothing')

      const taken = await take(link, ` ${email.toUpperCase()}`)
      assert.equal(taken.status, 200)
      assert.match(taken.text, /yours again/)
      const back = await userOf(id)
      assert.deepEqual([back.email, back.emailVerified], [email, true])
      assert.equal(back.lifecycle.status, 'VERIFICATION_REQUIRED', 'a stolen password alone is of no use')
      assert.equal((await api('PATCH', `/users/${id}`, { nickname: 'x' }, { token })).status, 401)
      assert.equal((await rows(stile(), 'sessions', 'user_id = $2', id)).length, 0)
      const [event] = await rows<{ actor_user_id: string }>(
        stile(),
        'events',
        "action = 'USER.EMAIL_CHANGE_REVERTED' AND subject_id = $2",
        id,
      )
      assert.equal(event?.actor_user_id, id)
      assert.equal((await take(link, email)).status, 404, 'once')

      const recover = await api('POST', `/users/${id}/password`, undefined, vendor('password.sendRecoveryCode'))
      assert.equal(recover.status, 200, recover.text)
      assert.ok(await codeSentTo(stile(), email), 'the owner may choose a new password')
    })

    test('K19: what looks at the link, and sends the form it finds, changes nothing', async () => {
      const { id, email } = await newUser()
      const next = newAddress()
      const { token } = await changeOwn(id, next)
      const link = await linkSentTo(email)
      const path = `/${stile().environmentId}/emailChange`
      for (const method of ['HEAD', 'GET', 'GET', 'GET', 'GET', 'GET']) {
        const { status } = await stile().send(here(link), { method })
        assert.ok(method === 'HEAD' || status === 200, `${method} ${status}`)
      }
      for (const typed of [{}, { email: '' }, { email: next }, { email: 'scanner@example.com' }]) {
        const answer = await stile().send(path, { body: new URLSearchParams({ token: tokenOf(link), ...typed }) })
        assert.equal(answer.status, 400)
        assert.match(answer.text, /<form method="post" action="emailChange">/)
        assert.ok(!answer.text.includes(email), 'it does not say which address')
      }
      assert.equal((await userOf(id)).email, next)
      assert.equal((await api('PATCH', `/users/${id}`, { nickname: 'x' }, { token })).status, 200)
      assert.equal((await take(link, email)).status, 200, 'the link is as good as before')
    })

    test('K18: the link is of this server, whatever a request says', async () => {
      const { id, email } = await newUser()
      const token = await userToken(stile(), id, 'p1:update:user')
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'http',
        forwarded: 'host=evil.example;proto=http',
      }
      const { status } = await api('PATCH', `/users/${id}`, { email: newAddress() }, { token, headers })
      assert.equal(status, 200)
      assert.ok(!(await linkSentTo(email)).includes('evil'))
    })

    test('K34: changing it once more, or proving the new one, does not end the link', async () => {
      const { id, email } = await newUser()
      const second = newAddress()
      await changeOwn(id, second)
      const link = await linkSentTo(email)
      await api('POST', `/users/${id}`, undefined, vendor('user.sendVerificationCode'))
      const verificationCode = await codeSentTo(stile(), second)
      const verified = await api('POST', `/users/${id}`, { verificationCode }, vendor('user.verify'))
      assert.equal(verified.json.emailVerified, true, verified.text)
      await changeOwn(id, newAddress())
      const other = await linkSentTo(second)
      await changeOwn(id, null)
      assert.equal((await take(link, email)).status, 200)
      assert.equal((await userOf(id)).email, email)
      assert.equal((await take(other, second)).status, 404, 'the address in between has nothing to take back')
    })

    test('of many at once, one takes it back', async () => {
      const { id, email } = await newUser()
      await changeOwn(id, newAddress())
      const link = await linkSentTo(email)
      const answers = await Promise.all(Array.from({ length: 4 }, () => take(link, email)))
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 404, 404, 404])
    })

    test('an administrator has the last word: the old address is told, and can take nothing back', async () => {
      const { id, email } = await newUser()
      const second = newAddress()
      await changeOwn(id, second)
      const link = await linkSentTo(email)
      assert.equal((await api('PATCH', `/users/${id}`, { email: newAddress() })).status, 200)
      assert.equal((await take(link, email)).status, 404)
      assert.deepEqual(await inboxOf(stile(), second), [], 'an address that was not proved is nobody’s')

      const other = await newUser()
      assert.equal((await api('PATCH', `/users/${other.id}`, { email: newAddress() })).status, 200)
      const [message, ...more] = await inboxOf(stile(), other.email)
      assert.deepEqual([message?.template, more.length], ['email_address_changed_admin', 0])
      assert.ok(!message?.body.includes('http'))
    })

    test('nobody is told where nothing changes, or the address was not proved', async () => {
      const { id, email } = await newUser()
      await changeOwn(id, email.toUpperCase())
      assert.deepEqual(await inboxOf(stile(), email), [])
      assert.deepEqual(await inboxOf(stile(), email.toUpperCase()), [])
      const doubtful = await newUser({ emailVerified: false })
      await changeOwn(doubtful.id, newAddress())
      assert.deepEqual(await inboxOf(stile(), doubtful.email), [])
    })

    test('K34: a limit that is used up does not keep the warning back', async () => {
      const { json } = await api('GET', '/notificationsPolicies')
      const [{ id: policyId, name, quotas: before }] = json._embedded.notificationsPolicies
      const setQuotas = async (quotas: object) => {
        const { status, text } = await api('PUT', `/notificationsPolicies/${policyId}`, { name, quotas })
        assert.equal(status, 200, text)
      }
      await setQuotas([{ type: 'USER', deliveryMethods: ['Email'], total: 1 }])
      const { id, email } = await newUser()
      for (let sent = 0; sent < 2; sent += 1) {
        await api('POST', `/users/${id}`, undefined, vendor('user.sendVerificationCode'))
      }
      await changeOwn(id, newAddress())
      assert.ok(await linkSentTo(email))
      assert.equal((await inboxOf(stile(), email)).length, 2, 'the second code was kept back')
      await setQuotas(before)
    })

    test('a link that was changed, is of another environment, or is too old, is over', async () => {
      const { id, email } = await newUser()
      await changeOwn(id, newAddress())
      const link = await linkSentTo(email)
      const token = tokenOf(link)
      const path = `/${stile().environmentId}/emailChange`
      for (const wrong of [
        '',
        'x',
        `${token}x`,
        token.slice(0, -4),
        token.toLowerCase(),
        'v1.AAAA',
        'a'.repeat(5000),
      ]) {
        assert.equal(
          (await stile().send(path, { body: new URLSearchParams({ token: wrong, email }) })).status,
          404,
          wrong,
        )
        assert.equal((await stile().send(`${path}?${new URLSearchParams({ token: wrong })}`)).status, 404, wrong)
      }
      assert.equal((await stile().send(path)).status, 404)
      world.advance(3 * 86_400_000)
      // The first may have begun before.
      await stile().node.kernel.environments.poll()
      await stile().node.kernel.environments.poll()
      assert.equal((await stile().send(here(link))).status, 404)
      assert.equal((await take(link, email)).status, 404)
    })
  },
  { world },
)
