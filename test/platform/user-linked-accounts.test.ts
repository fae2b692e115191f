/** The accounts at identity providers that users sign on by, through the management API: platform-api 3.5; rows M12, N05, N09. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import {
  addPopulation,
  addUser,
  administrator,
  giveRoles,
  type Json,
  onEachEngine,
  password,
  userToken,
} from './people.ts'

const world = testWorld()

await onEachEngine(
  'linked accounts of users',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    async function newProvider(): Promise<string> {
      const { json, text } = await api('POST', '/identityProviders', {
        name: `Provider ${randomUUID()}`,
        enabled: true,
        type: 'OPENID_CONNECT',
        clientId: 'stile',
        clientSecret: randomUUID(),
        authorizationEndpoint: 'https://idp.example/authorize',
        issuer: 'https://idp.example',
        jwksEndpoint: 'https://idp.example/jwks',
        tokenEndpoint: 'https://idp.example/token',
        scopes: ['openid'],
        tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
      })
      assert.ok(json.id, text)
      return json.id
    }
    const link = (userId: string, providerId: string, externalId: string, more: object = {}) =>
      api('POST', `/users/${userId}/linkedAccounts`, { identityProvider: { id: providerId }, externalId }, more)
    const listed = async (userId: string): Promise<Json[]> =>
      (await api('GET', `/users/${userId}/linkedAccounts`)).json._embedded.linkedAccounts
    const detail = ({ json }: { readonly json: Json }) => [json.details?.[0]?.code, json.details?.[0]?.target]

    test('they are linked, listed, read and taken away, each with its event', async () => {
      const [{ id: userId }, providerId] = [await addUser(stile()), await newProvider()]
      assert.deepEqual(await listed(userId), [])
      const made = await link(userId, providerId, 'subject-1')
      assert.equal(made.status, 201, made.text)
      const { _links, ...account } = made.json
      assert.deepEqual(account, {
        id: account.id,
        environment: { id: stile().environmentId },
        user: { id: userId },
        identityProvider: { id: providerId },
        externalId: 'subject-1',
      })
      assert.equal(made.headers.get('location'), _links.self.href)
      const path = `/users/${userId}/linkedAccounts/${account.id}`
      assert.deepEqual((await api('GET', path)).json, made.json)
      assert.deepEqual(await listed(userId), [made.json])
      const { json: user } = await api('GET', `/users/${userId}`)
      assert.equal(user._links.linkedAccounts.href, _links.user.href + '/linkedAccounts')
      assert.equal((await api('DELETE', path)).status, 204)
      assert.equal((await api('DELETE', path)).status, 404)
      assert.equal((await api('GET', path)).status, 404)
      assert.deepEqual(await listed(userId), [])
      const events = await rows<{ action: string }>(stile(), 'events', 'subject_id = $2', account.id)
      assert.deepEqual(events.map(({ action }) => action).toSorted(), [
        'LINKED_ACCOUNT.CREATED',
        'LINKED_ACCOUNT.DELETED',
      ])
    })

    test('what is not there, not understood or taken is refused and changes nothing', async () => {
      const [one, other] = [await addUser(stile()), await addUser(stile())]
      const providerId = await newProvider()
      assert.equal((await link(one.id, providerId, 'taken')).status, 201)
      assert.deepEqual(detail(await link(other.id, providerId, 'taken')), ['UNIQUENESS_VIOLATION', 'externalId'])
      assert.deepEqual(detail(await link(one.id, providerId, 'second')), ['UNIQUENESS_VIOLATION', 'externalId'])
      assert.deepEqual(detail(await link(other.id, randomUUID(), 'x')), ['INVALID_VALUE', 'identityProvider.id'])
      assert.deepEqual(detail(await link(other.id, providerId, '')), ['OUT_OF_RANGE', 'externalId'])
      assert.equal((await link(randomUUID(), providerId, 'x')).status, 404)
      const [account] = await listed(one.id)
      const elsewhere = `/users/${other.id}/linkedAccounts/${account?.id}`
      for (const method of ['GET', 'DELETE']) assert.equal((await api(method, elsewhere)).status, 404, method)
      assert.deepEqual(await listed(other.id), [])
      assert.equal((await listed(one.id)).length, 1)
    })

    test('M12: twenty users get one account at once: one has it', async () => {
      const providerId = await newProvider()
      const users = await Promise.all(Array.from({ length: 20 }, () => addUser(stile())))
      const answers = await Promise.all(users.map(({ id }) => link(id, providerId, 'wanted')))
      assert.equal(answers.filter(({ status }) => status === 201).length, 1)
      for (const answer of answers) if (answer.status !== 201) assert.equal(detail(answer)[0], 'UNIQUENESS_VIOLATION')
    })

    test('N05, N09: at the population of the user alone, and never for somebody with more roles', async () => {
      const [{ id: userId }, providerId] = [await addUser(stile()), await newProvider()]
      const here = { role: 'Identity Data Admin', type: 'POPULATION', id: stile().populationId } as const
      const own = await administrator(stile(), here)
      const others = await administrator(stile(), { ...here, id: await addPopulation(stile()) })
      assert.equal((await link(userId, providerId, 'a', { token: others })).status, 404)
      assert.equal((await link(userId, providerId, 'a', { token: own })).status, 201)
      const [account] = await listed(userId)
      const path = `/users/${userId}/linkedAccounts/${account?.id}`
      await giveRoles(stile(), `/users/${userId}`, [
        { role: 'Environment Admin', type: 'ENVIRONMENT', id: stile().environmentId },
      ])
      assert.equal((await link(userId, await newProvider(), 'b', { token: own })).status, 403)
      assert.equal((await api('DELETE', path, undefined, { token: own })).status, 403)
      assert.equal((await api('GET', path, undefined, { token: own })).status, 200)
      assert.equal((await listed(userId)).length, 1)
    })

    test('a user who removes all of theirs at once keeps one', async () => {
      const { id: userId } = await addUser(stile())
      const providers = await Promise.all(Array.from({ length: 5 }, newProvider))
      const paths: string[] = []
      for (const [at, providerId] of providers.entries()) {
        const { json } = await link(userId, providerId, `subject-${at}`)
        paths.push(`/users/${userId}/linkedAccounts/${json.id}`)
      }
      const token = await userToken(stile(), userId, 'p1:delete:userLinkedAccounts')
      const answers = await Promise.all(paths.map((path) => api('DELETE', path, undefined, { token })))
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, 204, 204, 204, 400])
      assert.equal((await listed(userId)).length, 1)
    })

    test('a user reads and removes their own by scope, lately signed on, and never the last way in', async () => {
      const { id: userId } = await addUser(stile())
      const foreign = await addUser(stile())
      const made = [await link(userId, await newProvider(), 'one'), await link(userId, await newProvider(), 'two')]
      const [first, second] = made.map(({ json }) => `/users/${userId}/linkedAccounts/${json.id}`) as [string, string]
      const reads = await userToken(stile(), userId, 'p1:read:userLinkedAccounts')
      const removes = await userToken(stile(), userId, 'p1:delete:userLinkedAccounts')
      const all = `/users/${userId}/linkedAccounts`
      assert.equal((await api('GET', all, undefined, { token: reads })).json._embedded.linkedAccounts.length, 2)
      assert.equal((await api('GET', all, undefined, { token: removes })).status, 403)
      assert.equal((await api('DELETE', first, undefined, { token: reads })).status, 403)
      assert.equal((await link(userId, await newProvider(), 'three', { token: removes })).status, 403)
      const theirs = `/users/${foreign.id}/linkedAccounts`
      assert.equal((await api('GET', theirs, undefined, { token: reads })).status, 403)
      assert.equal((await api('DELETE', first, undefined, { token: removes })).status, 204)
      const last = await api('DELETE', second, undefined, { token: removes })
      assert.equal(last.status, 400, last.text)
      assert.deepEqual(detail(last), ['CONSTRAINT_VIOLATION', 'linkedAccounts'])
      assert.equal((await listed(userId)).length, 1)
      const set = { value: password }
      const mediaType = 'application/vnd.pingidentity.password.set+json'
      assert.equal((await api('PUT', `/users/${userId}/password`, set, { mediaType })).status, 200)
      const again = await userToken(stile(), userId, 'p1:delete:userLinkedAccounts')
      world.advance(301_000)
      await stile().node.kernel.environments.poll()
      await stile().node.kernel.environments.poll()
      const late = await api('DELETE', second, undefined, { token: again })
      assert.equal(late.status, 401)
      assert.match(late.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)
      const anew = await userToken(stile(), userId, 'p1:delete:userLinkedAccounts')
      assert.equal((await api('DELETE', second, undefined, { token: anew })).status, 204)
    })
  },
  { world },
)
