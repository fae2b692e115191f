/** Attribute mappings of applications and attributes of resources over HTTP: platform-api 3.9, 3.11.3; rows E22, N04, N08. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { openidAttributes } from '../../src/environment/openid-attributes.ts'
import { rows } from '../flow-runtime/arrange.ts'
import {
  builtInResource,
  customResource,
  expectStatus,
  otherEnvironment,
  register,
  web,
} from '../oauth/registrations.ts'
import type { Answer } from '../harness/stile.ts'
import { sentMembers } from './members.ts'
import { administrator, onEachEngine } from './people.ts'

type Attribute = Answer['json']

const reserved =
  'acr amr at_hash aud auth_time azp client_id exp iat iss jti nbf nonce org scope sid sub env cnf act roles'

await onEachEngine('attributes', (stile) => {
  const api: ReturnType<typeof stile>['api'] = (...call) => stile().api(...call)
  const listed = async (path: string): Promise<Attribute[]> =>
    expectStatus(await api('GET', path), 200)._embedded.attributes
  const created = async (path: string, body: object): Promise<Attribute> =>
    expectStatus(await api('POST', path, body), 201)
  const ofNewApplication = async () => `/applications/${(await register(stile(), web, [])).clientId}/attributes`
  const ofNewResource = async () => `/resources/${(await customResource(stile(), {}, [])).id}/attributes`
  const ofOpenid = async () => `/resources/${(await builtInResource(stile(), 'OPENID_CONNECT')).id}/attributes`
  const detailOf = (answer: Answer) => {
    assert.equal(answer.status, 400, answer.text)
    const [{ code, target }] = answer.json.details
    return [code, target]
  }

  suite('of applications', () => {
    test('every application has sub; what is added is created, read, replaced, listed and deleted', async () => {
      const path = await ofNewApplication()
      const [core, ...others] = await listed(path)
      assert.deepEqual(others, [])
      const { name, value, required, mappingType, idToken, userInfo, oidcScopes } = core
      assert.deepEqual(
        [name, value, required, mappingType, idToken, userInfo, oidcScopes],
        ['sub', '${user.id}', true, 'CORE', true, true, undefined],
      )
      const sent = { name: 'department', value: '${user.title}', required: false }
      const answer = await api('POST', path, sent)
      const made = expectStatus(answer, 201)
      const id = path.split('/')[2]
      assert.deepEqual(sentMembers(made), {
        ...sent,
        application: { id },
        mappingType: 'CUSTOM',
        idToken: true,
        userInfo: true,
      })
      assert.deepEqual(made.environment, { id: stile().environmentId })
      assert.equal(answer.headers.get('location'), made._links.self.href)
      assert.deepEqual(expectStatus(await api('GET', `${path}/${made.id}`), 200), made)
      const scope = (await builtInResource(stile(), 'OPENID_CONNECT')).scope('email')
      const change = { name: 'unit', value: 'R&D', required: true, idToken: false, userInfo: true, oidcScopes: [scope] }
      const replaced = expectStatus(await api('PUT', `${path}/${made.id}`, change), 200)
      assert.deepEqual(sentMembers(replaced), { ...change, application: { id }, mappingType: 'CUSTOM' })
      assert.equal(replaced.createdAt, made.createdAt)
      assert.deepEqual(await listed(path), [core, replaced])
      // As clients of the platform do that send back what they have read (platform-api 1.14).
      assert.deepEqual(
        sentMembers(expectStatus(await api('PUT', `${path}/${made.id}`, replaced), 200)),
        sentMembers(replaced),
      )
      assert.equal((await api('DELETE', `${path}/${made.id}`)).status, 204)
      for (const method of ['GET', 'DELETE']) assert.equal((await api(method, `${path}/${made.id}`)).status, 404)
      assert.equal((await api('PUT', `${path}/${made.id}`, change)).status, 404)
      assert.deepEqual(await listed(path), [core])
    })

    test('sub: its value changes, and nothing else; it cannot be removed', async () => {
      const path = await ofNewApplication()
      const [{ id }] = await listed(path)
      const body = { name: 'sub', value: '${user.username}', required: false }
      const replaced = expectStatus(await api('PUT', `${path}/${id}`, body), 200)
      assert.deepEqual([replaced.value, replaced.required, replaced.mappingType], ['${user.username}', true, 'CORE'])
      assert.deepEqual(detailOf(await api('PUT', `${path}/${id}`, { ...body, name: 'other' })), [
        'INVALID_VALUE',
        'name',
      ])
      assert.deepEqual(detailOf(await api('PUT', `${path}/${id}`, { ...body, value: '' })), ['INVALID_VALUE', 'value'])
      const scope = (await builtInResource(stile(), 'OPENID_CONNECT')).scope('email')
      const scoped = await api('PUT', `${path}/${id}`, { ...body, oidcScopes: [scope] })
      assert.deepEqual(detailOf(scoped), ['INVALID_VALUE', 'oidcScopes'])
      const refused = await api('DELETE', `${path}/${id}`)
      assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
      expectStatus(await api('PUT', `${path}/${id}`, { ...body, value: '${user.id}' }), 200)
    })

    test('E22: what is refused, when it is made and when it is replaced', async () => {
      const path = await ofNewApplication()
      const { id } = await created(path, { name: 'own', value: 'x', required: false })
      const { scope: customScope } = await customResource(stile(), {}, ['orders:read'])
      const wrong: readonly (readonly [object, string])[] = [
        ...reserved.split(' ').map((name) => [{ name }, 'name'] as const),
        [{ name: 'p1.userId' }, 'name'],
        [{ name: '' }, 'name'],
        [{ name: 'with space' }, 'name'],
        [{ name: 'ünï' }, 'name'],
        [{ name: 'x'.repeat(257) }, 'name'],
        [{ value: '' }, 'value'],
        [{ value: '${user.password}' }, 'value'],
        [{ value: '${user.id' }, 'value'],
        [{ value: 'x'.repeat(1025) }, 'value'],
        [{ idToken: false, userInfo: false }, 'userInfo'],
        [{ oidcScopes: [randomUUID()] }, 'oidcScopes.0'],
        [{ oidcScopes: [customScope('orders:read')] }, 'oidcScopes.0'],
      ]
      for (const [members, target] of wrong) {
        const body = { name: 'claim', value: 'x', required: false, ...members }
        assert.equal(detailOf(await api('POST', path, body))[1], target, JSON.stringify(members))
        assert.equal(detailOf(await api('PUT', `${path}/${id}`, body))[1], target, JSON.stringify(members))
      }
      assert.deepEqual(
        detailOf(await api('POST', path, { name: 'c', value: 'x', required: false, mappingType: 'CORE' })),
        ['INVALID_VALUE', 'mappingType'],
      )
      assert.equal((await listed(path)).length, 2)
    })

    test('a name is there once, also when twenty want it at the same time', async () => {
      const path = await ofNewApplication()
      const body = { name: 'twice', value: 'x', required: false }
      const answers = await Promise.all(Array.from({ length: 20 }, () => api('POST', path, body)))
      assert.equal(answers.filter(({ status }) => status === 201).length, 1)
      const loser = answers.find(({ status }) => status !== 201) ?? assert.fail()
      assert.deepEqual(detailOf(loser), ['UNIQUENESS_VIOLATION', 'name'])
      const { id } = await created(path, { ...body, name: 'thrice' })
      assert.deepEqual(detailOf(await api('PUT', `${path}/${id}`, body)), ['UNIQUENESS_VIOLATION', 'name'])
      await created(await ofNewApplication(), body)
    })

    test('they go with their application', async () => {
      const path = await ofNewApplication()
      const [, , id = ''] = path.split('/')
      await created(path, { name: 'own', value: 'x', required: false })
      expectStatus(await api('DELETE', `/applications/${id}`), 204)
      assert.equal((await api('GET', path)).status, 404)
      assert.deepEqual(await rows(stile(), 'application_attributes', 'application_id = $2', id), [])
    })
  })

  suite('of resources', () => {
    test('a custom resource begins with sub, whose value alone can be changed', async () => {
      const path = await ofNewResource()
      const [core, ...others] = await listed(path)
      assert.deepEqual(others, [])
      const { id, name, type, value, idToken, userInfo } = core
      assert.deepEqual([name, type, value, idToken, userInfo], ['sub', 'CORE', '${user.id}', undefined, undefined])
      const replaced = expectStatus(await api('PUT', `${path}/${id}`, { name: 'sub', value: '${user.email}' }), 200)
      assert.deepEqual([replaced.value, replaced.type], ['${user.email}', 'CORE'])
      assert.deepEqual(detailOf(await api('PUT', `${path}/${id}`, { name: 'x', value: 'y' })), [
        'INVALID_VALUE',
        'name',
      ])
      assert.deepEqual(detailOf(await api('PUT', `${path}/${id}`, { name: 'sub', value: '' })), [
        'INVALID_VALUE',
        'value',
      ])
      const refused = await api('DELETE', `${path}/${id}`)
      assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
    })

    test('attributes are created, read, replaced, listed and deleted', async () => {
      const path = await ofNewResource()
      const answer = await api('POST', path, { name: 'tier', value: 'gold' })
      const made = expectStatus(answer, 201)
      const [, , resource] = path.split('/')
      assert.deepEqual(sentMembers(made), { name: 'tier', value: 'gold', type: 'CUSTOM', resource: { id: resource } })
      assert.equal(answer.headers.get('location'), made._links.self.href)
      assert.deepEqual(expectStatus(await api('GET', `${path}/${made.id}`), 200), made)
      const replaced = expectStatus(await api('PUT', `${path}/${made.id}`, { ...made, value: '${user.title}' }), 200)
      assert.equal(replaced.value, '${user.title}')
      assert.deepEqual(
        (await listed(path)).map((one) => one.name),
        ['sub', 'tier'],
      )
      assert.equal((await api('DELETE', `${path}/${made.id}`)).status, 204)
      assert.equal((await api('GET', `${path}/${made.id}`)).status, 404)
    })

    test('3.11.3: openid begins with the claims of OpenID Connect; they can be changed and switched off, not removed', async () => {
      const path = await ofOpenid()
      const all = (await listed(path)).filter(({ type }) => type === 'PREDEFINED')
      assert.deepEqual(
        new Map(all.map(({ name, value }) => [name, value])),
        new Map(Object.entries(openidAttributes).map(([name, { value }]) => [name, value])),
      )
      assert.ok(all.every(({ idToken, userInfo }) => idToken === true && userInfo === true))
      const [website, email] = ['website', 'email'].map((claim) => all.find(({ name }) => name === claim))
      for (const change of [
        { value: 'https://x.test/${user.username}' },
        { value: '' },
        { value: '', idToken: false },
      ]) {
        const replaced = expectStatus(await api('PUT', `${path}/${website.id}`, { name: 'website', ...change }), 200)
        assert.deepEqual(
          [replaced.value, replaced.idToken, replaced.type],
          [change.value, !('idToken' in change), 'PREDEFINED'],
        )
      }
      expectStatus(await api('PUT', `${path}/${website.id}`, { name: 'website', value: '' }), 200)
      const renamed = await api('PUT', `${path}/${email.id}`, { name: 'mail', value: 'x' })
      assert.deepEqual(detailOf(renamed), ['INVALID_VALUE', 'name'])
      const off = await api('PUT', `${path}/${email.id}`, {
        name: 'email',
        value: 'x',
        idToken: false,
        userInfo: false,
      })
      assert.deepEqual(detailOf(off), ['INVALID_VALUE', 'userInfo'])
      assert.equal((await api('DELETE', `${path}/${email.id}`)).status, 400)
      assert.deepEqual(detailOf(await api('POST', path, { name: 'email', value: 'x' })), [
        'UNIQUENESS_VIOLATION',
        'name',
      ])
    })

    test('a claim that goes leaves the scopes that brought it', async () => {
      const openid = await builtInResource(stile(), 'OPENID_CONNECT')
      const { id } = await created(await ofOpenid(), { name: 'badge', value: '${user.externalId}' })
      const scopes = `/resources/${openid.id}/scopes`
      const scope = expectStatus(await api('POST', scopes, { name: 'badges', mappedClaims: [id] }), 201)
      assert.deepEqual(scope.mappedClaims, [id])
      expectStatus(await api('DELETE', `${await ofOpenid()}/${id}`), 204)
      assert.deepEqual(expectStatus(await api('GET', `${scopes}/${scope.id}`), 200).mappedClaims, [])
      const { id: predefined } = (await listed(await ofOpenid()))[0]
      for (const wrong of [id, predefined, randomUUID()]) {
        const answer = await api('POST', scopes, { name: `scope-${randomUUID()}`, mappedClaims: [wrong] })
        assert.deepEqual(detailOf(answer), ['INVALID_VALUE', 'mappedClaims.0'])
      }
    })

    test('E22: what is refused', async () => {
      const pingOne = `/resources/${(await builtInResource(stile(), 'PINGONE_API')).id}/attributes`
      assert.deepEqual(await listed(pingOne), [])
      assert.equal(detailOf(await api('POST', pingOne, { name: 'tier', value: 'gold' }))[0], 'CONSTRAINT_VIOLATION')
      for (const path of [await ofNewResource(), await ofOpenid()]) {
        const { id } = await created(path, { name: `own-${randomUUID()}`, value: 'x' })
        for (const name of [...reserved.split(' '), 'p1.gid']) {
          assert.equal(detailOf(await api('POST', path, { name, value: 'x' }))[1], 'name', name)
          assert.equal(detailOf(await api('PUT', `${path}/${id}`, { name, value: 'x' }))[1], 'name', name)
        }
        for (const [members, target] of [
          [{ value: '' }, 'value'],
          [{ value: '${user.password}' }, 'value'],
          [{ type: 'CORE' }, 'type'],
          [{ type: 'PREDEFINED' }, 'type'],
        ] as const) {
          assert.equal(detailOf(await api('POST', path, { name: 'claim', value: 'x', ...members }))[1], target)
        }
      }
      const custom = await ofNewResource()
      for (const member of ['idToken', 'userInfo']) {
        const answer = await api('POST', custom, { name: 'claim', value: 'x', [member]: true })
        assert.deepEqual(detailOf(answer), ['INVALID_VALUE', member])
      }
    })

    test('they go with their resource', async () => {
      const path = await ofNewResource()
      const [, , id = ''] = path.split('/')
      await created(path, { name: 'tier', value: 'gold' })
      expectStatus(await api('DELETE', `/resources/${id}`), 204)
      assert.equal((await api('GET', path)).status, 404)
      assert.deepEqual(await rows(stile(), 'resource_attributes', 'resource_id = $2', id), [])
    })
  })

  test('N04: those of another environment, or of another application or resource, are not there', async () => {
    const elsewhere = await otherEnvironment(stile())
    for (const path of [await ofNewApplication(), await ofNewResource()]) {
      const { id } = await created(path, { name: 'own', value: 'x', required: false })
      const sibling = path.startsWith('/app') ? await ofNewApplication() : await ofNewResource()
      for (const answer of [
        await elsewhere.api('GET', path),
        await elsewhere.api('GET', `${path}/${id}`),
        await elsewhere.api('DELETE', `${path}/${id}`),
        await api('GET', `${sibling}/${id}`),
        await api('PUT', `${sibling}/${id}`, { name: 'own', value: 'y', required: false }),
        await api('DELETE', `${sibling}/${id}`),
      ]) {
        assert.equal(answer.status, 404, answer.text)
      }
      assert.equal(expectStatus(await api('GET', `${path}/${id}`), 200).value, 'x')
    }
  })

  test('N08: who may read may not write; who may not change an application may not map for it', async () => {
    const here = { type: 'ENVIRONMENT', id: stile().environmentId } as const
    const reader = await administrator(stile(), { role: 'Configuration Read Only', ...here })
    const worker = `/applications/${stile().worker.clientId}/attributes`
    const developer = await administrator(stile(), { role: 'Client Application Developer', ...here })
    for (const path of [await ofNewApplication(), await ofNewResource()]) {
      expectStatus(await api('GET', path, undefined, { token: reader }), 200)
      const body = { name: 'claim', value: 'x', required: false }
      assert.equal((await api('POST', path, body, { token: reader })).status, 403)
    }
    const body = { name: 'claim', value: 'x', required: false }
    assert.equal((await api('POST', worker, body, { token: developer })).status, 403, 'it holds roles')
  })

  test('events tell what was changed, and not to what', async () => {
    for (const [path, type] of [
      [await ofNewApplication(), 'APPLICATION_ATTRIBUTE'],
      [await ofNewResource(), 'RESOURCE_ATTRIBUTE'],
    ] as const) {
      const { id } = await created(path, { name: 'own', value: 'canary-of-value', required: false })
      expectStatus(await api('PUT', `${path}/${id}`, { name: 'own', value: 'canary-of-value-2', required: false }), 200)
      expectStatus(await api('DELETE', `${path}/${id}`), 204)
      const events = await rows<{ action: string }>(stile(), 'events', 'subject_id = $2', id)
      const actions = events.map(({ action }) => action).toSorted()
      assert.deepEqual(
        actions,
        ['CREATED', 'DELETED', 'UPDATED'].map((what) => `${type}.${what}`),
      )
      assert.ok(!JSON.stringify(events).includes('canary'))
    }
  })
})
