/** Inviting users by the management API (docs/decisions/2026-11-27-invitations.md; rows K15, K36, K38, N09, L14). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { testWorld } from '../../src/world.ts'
import { addressOf, followInvitation, inboxOf, inviteCodeOf, newApplication, rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import { otherEnvironment } from '../oauth/registrations.ts'
import { insertLink } from '../../src/directory/linked-accounts.ts'
import {
  addPopulation,
  addUser,
  administrator,
  giveRoles,
  type Json,
  onEachEngine,
  password,
  userToken,
  vendor,
} from './people.ts'

const world = testWorld()
const day = 86_400_000

await onEachEngine(
  'invitations by the management API',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    /** Lets time pass, of which the node hears as it would. */
    const advance = async (milliseconds: number) => {
      world.advance(milliseconds)
      // The first may have begun before.
      await stile().node.kernel.environments.poll()
      await stile().node.kernel.environments.poll()
    }
    const newUser = async (properties: object = {}) => {
      const username = `user-${randomUUID()}`
      const { id } = await addUser(stile(), { username, email: addressOf({ username }), ...properties })
      return { id: id as string, username, email: addressOf({ username }) }
    }
    const send = (id: string, body: object = {}, more: object = {}) =>
      api('POST', `/users/${id}`, body, { ...vendor('user.invite'), ...more })
    const read = (id: string) => api('GET', `/users/${id}/invitation`)
    const withdraw = (id: string) => api('DELETE', `/users/${id}/invitation`)
    const follow = (code: string) => stile().send(`/${stile().environmentId}/invite?inviteCode=${code}`)
    const isOver = async (code: string, why: string) => assert.equal((await follow(code)).status, 404, why)
    /** Links a user to an account at a provider. */
    async function link(userId: string): Promise<void> {
      const { kernel } = stile().node
      const account = { providerId: randomUUID(), subject: randomUUID() }
      await kernel.storage.commit({
        name: 'test.link',
        *run() {
          yield* insertLink(kernel.world, stile().environmentId, userId, account, world.now())
        },
      })
    }
    const detail = ({ json }: { readonly json: Json }) => json.details?.[0]

    test('K38: it is mailed, and never answered, stored or recorded in clear', async () => {
      const { id, email } = await newUser()
      const applicationId = stile().webApp.clientId
      const sent = await send(id, { application: { id: applicationId } })
      assert.deepEqual([sent.status, sent.json.id], [200, id], sent.text)
      const [message] = await inboxOf(stile(), email)
      const [link = ''] = /http\S+/.exec(message?.body ?? '') ?? []
      assert.equal(message?.template, 'user_invitation')
      assert.ok(link.startsWith(`${stile().authUrl}/${stile().environmentId}/invite?inviteCode=`))
      const code = new URL(link).searchParams.get('inviteCode') ?? ''
      assert.match(code, /^[\w-]{43}$/, '256 bits')

      const open = await read(id)
      const { _links, ...invitation } = open.json
      assert.deepEqual(
        invitation,
        {
          environment: { id: stile().environmentId },
          user: { id },
          application: { id: applicationId },
          createdAt: new Date(world.now()).toISOString(),
          expiresAt: new Date(world.now() + 7 * day).toISOString(),
        },
        open.text,
      )
      assert.ok(_links.self.href.endsWith(`/users/${id}/invitation`))
      const events = await rows<{ action: string; actor_client_id: string }>(stile(), 'events', 'subject_id = $2', id)
      assert.deepEqual(
        events.filter(({ action }) => action === 'USER.INVITED').map(({ actor_client_id }) => actor_client_id),
        [stile().worker.clientId],
      )
      for (const told of [sent.text, open.text, JSON.stringify(events)]) assert.ok(!told.includes(code))
      for (const table of ['invitations', 'events', 'outbox', 'flows']) {
        assert.ok(!JSON.stringify(await rows(stile(), table)).includes(code), table)
      }
    })

    test('K15: a newer invitation ends the one before it', async () => {
      const user = await newUser()
      const first = await inviteCodeOf(stile(), user)
      const second = await inviteCodeOf(stile(), user)
      await isOver(first, 'the first')
      assert.equal((await follow(second)).status, 302)
      assert.equal((await rows(stile(), 'invitations', 'user_id = $2', user.id)).length, 1)
    })

    test('it is withdrawn, once', async () => {
      const user = await newUser()
      assert.deepEqual([(await read(user.id)).status, (await withdraw(user.id)).status], [404, 404])
      const code = await inviteCodeOf(stile(), user)
      assert.equal((await withdraw(user.id)).status, 204)
      await isOver(code, 'withdrawn')
      assert.deepEqual([(await read(user.id)).status, (await withdraw(user.id)).status], [404, 404])
      const events = await rows<{ action: string }>(stile(), 'events', 'subject_id = $2', user.id)
      assert.equal(events.filter(({ action }) => action === 'USER.INVITATION_WITHDRAWN').length, 1)
    })

    test('L14: five messages in fifteen minutes', async () => {
      const { id } = await newUser()
      for (let at = 0; at < 5; at += 1) assert.equal((await send(id)).status, 200)
      const refused = await send(id)
      assert.deepEqual([refused.status, detail(refused).code], [429, 'LIMIT_EXCEEDED'])
      await advance(900_000)
      assert.equal((await send(id)).status, 200)
    })

    test('nobody is invited who must not be, and the answer says why', async () => {
      const linked = await newUser()
      await link(linked.id)
      for (const [who, code, inner, target] of [
        [await newUser({ email: undefined }), 'INVALID_DATA', 'REQUIRED_VALUE', 'email'],
        [await newUser({ enabled: false }), 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION', undefined],
        [await newUser({ account: { status: 'LOCKED' } }), 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION', undefined],
        [await newUser({ password: { value: password } }), 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION', 'password'],
        [linked, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION', 'linkedAccounts'],
      ] as const) {
        const answer = await send(who.id)
        const { code: found, target: at } = detail(answer)
        assert.deepEqual([answer.status, answer.json.code, found, at], [400, code, inner, target], answer.text)
        assert.deepEqual(await inboxOf(stile(), who.email), [])
        assert.equal((await read(who.id)).status, 404)
      }
      assert.equal((await send(randomUUID())).status, 404)
    })

    test('an application is one of this environment, and enabled', async () => {
      const { id, email } = await newUser()
      const disabled = await newApplication(stile(), { enabled: false })
      const foreign = await newApplication(await otherEnvironment(stile()))
      for (const applicationId of [randomUUID(), foreign, disabled]) {
        const answer = await send(id, { application: { id: applicationId } })
        const { code, target } = detail(answer)
        assert.deepEqual([answer.status, code, target], [400, 'INVALID_VALUE', 'application.id'], answer.text)
      }
      for (const application of [null, 7, 'x', {}, { id: 'x' }]) {
        assert.equal((await send(id, { application })).status, 400)
      }
      assert.deepEqual(await inboxOf(stile(), email), [])
    })

    test('N09: inviting takes what setting the password takes, at the population of the user and above their roles', async () => {
      const { id } = await newUser()
      const here = { role: 'Identity Data Admin', type: 'POPULATION', id: stile().populationId } as const
      const other = { ...here, id: await addPopulation(stile()) }
      const [own, others] = [await administrator(stile(), here), await administrator(stile(), other)]
      const self = await userToken(stile(), id, 'p1:update:user', 'p1:reset:userPassword', 'p1:verify:user')
      const statuses = async (call: (token: string | null) => ReturnType<typeof api>) => [
        (await call(others)).status,
        (await call(self)).status,
        (await call(null)).status,
      ]
      assert.deepEqual(await statuses((token) => send(id, {}, { token })), [404, 403, 401])
      assert.equal((await send(id, {}, { token: own })).status, 200)
      for (const method of ['GET', 'DELETE'] as const) {
        const call = (token: string | null) => api(method, `/users/${id}/invitation`, undefined, { token })
        assert.deepEqual(await statuses(call), [404, 403, 401], method)
      }
      await giveRoles(stile(), `/users/${id}`, [
        { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile().environmentId },
      ])
      assert.equal((await send(id, {}, { token: own })).status, 403)
      assert.equal((await api('DELETE', `/users/${id}/invitation`, undefined, { token: own })).status, 403)
    })

    const endings: Readonly<Record<string, (id: string) => Promise<void>>> = {
      'another e-mail address, and the same one again': async (id) => {
        const { email } = (await api('GET', `/users/${id}`)).json
        for (const address of [`${randomUUID()}@example.com`, email]) {
          assert.equal((await api('PATCH', `/users/${id}`, { email: address })).status, 200)
        }
      },
      'no e-mail address any more': async (id) => {
        assert.equal((await api('PATCH', `/users/${id}`, { email: null })).status, 200)
      },
      'a password by an administrator': async (id) => {
        const set = await api('PUT', `/users/${id}/password`, { value: password }, vendor('password.set'))
        assert.equal(set.status, 200, set.text)
      },
      'a disabled account, enabled again': async (id) => {
        for (const enabled of [false, true]) {
          assert.equal((await api('PUT', `/users/${id}/enabled`, { enabled })).status, 200)
        }
      },
      'an account at an identity provider': async (id) => {
        await link(id)
      },
      'a deleted account': async (id) => {
        assert.equal((await api('DELETE', `/users/${id}`)).status, 204)
      },
    }
    for (const [what, end] of Object.entries(endings)) {
      test(`K36: ${what}: the invitation is over`, async () => {
        const user = await newUser()
        const code = await inviteCodeOf(stile(), user)
        await end(user.id)
        await isOver(code, what)
        assert.deepEqual(await rows(stile(), 'invitations', 'user_id = $2', user.id), [])
      })
    }

    test('K36: an address that its owner takes back: an invitation that went to the other one is over', async () => {
      const former = `${randomUUID()}@example.com`
      const user = await newUser({ email: former })
      const token = await userToken(stile(), user.id, 'p1:update:user')
      await api('PATCH', `/users/${user.id}`, { email: addressOf(user) }, { token })
      const code = await inviteCodeOf(stile(), user)
      const [message] = await inboxOf(stile(), former)
      const [revertUrl = ''] = /http\S+/.exec(message?.body ?? '') ?? []
      const form = { token: new URL(revertUrl).searchParams.get('token') ?? '', email: former }
      const path = `/${stile().environmentId}/emailChange`
      assert.equal((await stile().send(path, { body: new URLSearchParams(form) })).status, 200)
      await isOver(code, 'taken back')
      assert.deepEqual(await rows(stile(), 'invitations', 'user_id = $2', user.id), [])
    })

    test('K36: while the account is locked, or the application disabled, nobody gets in; unlocked, it is as good as before', async () => {
      const user = await newUser()
      const { clientId } = stile().singlePageApp
      const code = await inviteCodeOf(stile(), user, { application: { id: clientId } })
      await api('POST', `/users/${user.id}`, {}, vendor('account.lock'))
      await isOver(code, 'locked')
      await api('POST', `/users/${user.id}`, {}, vendor('account.unlock'))
      const { json } = await api('GET', `/applications/${clientId}`)
      assert.equal((await api('PUT', `/applications/${clientId}`, { ...json, enabled: false })).status, 200)
      await isOver(code, 'the application is disabled')
      assert.equal((await api('PUT', `/applications/${clientId}`, { ...json, enabled: true })).status, 200)
      await followInvitation(new Browser(stile()), code)
    })
  },
  { world },
)
