/** Roles, organizations and licences: what is only read (platform-api 3.1, 3.21). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Stile } from '../harness/stile.ts'
import type { Json } from './echo.ts'
import { addUser, administrator, onEachEngine, userToken } from './people.ts'

await onEachEngine('roles and organizations', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)

  test('built-in roles are read by name, by whoever holds a token', async () => {
    const user = await addUser(stile(), { population: { id: stile().populationId } })
    for (const token of [
      await stile().workerToken(),
      await administrator(stile()),
      await userToken(stile(), user.id, 'openid'),
    ]) {
      const { status, json } = await api('GET', '/v1/roles', undefined, { token })
      assert.equal(status, 200)
      const names = json._embedded.roles.map(({ name }: { name: string }) => name)
      assert.deepEqual(names, [
        'Organization Admin',
        'Environment Admin',
        'Identity Data Admin',
        'Client Application Developer',
        'Identity Data Read Only',
        'Configuration Read Only',
      ])
      for (const role of json._embedded.roles) {
        assert.ok(role.permissions.length > 0, 'clients tell built-in roles by their permissions')
        assert.ok(
          role.permissions.every(
            ({ id, classifier, description }: Json) => /^\w+:\w+:\w+$/.test(id) && classifier && description,
          ),
        )
        assert.deepEqual((await api('GET', `/v1/roles/${role.id}`, undefined, { token })).json, role)
      }
    }
    assert.equal((await api('GET', `/v1/roles/${randomUUID()}`)).status, 404)
    for (const token of [null, 'garbage', 'a.b.c'])
      assert.equal((await api('GET', '/v1/roles', undefined, { token })).status, 401)
  })

  test('the organization and its licence are read by its administrators', async () => {
    const { organizationId } = stile()
    const { json } = await api('GET', '/v1/organizations')
    assert.deepEqual(
      json._embedded.organizations.map(({ id }: { id: string }) => id),
      [organizationId],
    )
    const one = await api('GET', `/v1/organizations/${organizationId}`)
    assert.deepEqual(one.json, json._embedded.organizations[0])
    const path = `/v1/organizations/${organizationId}/licenses`
    const { json: licenses } = await api('GET', `${path}?filter=${encodeURIComponent('((status eq "ACTIVE"))')}`)
    const [license] = licenses._embedded.licenses
    assert.deepEqual([license.status, license.organization.id], ['ACTIVE', organizationId])
    assert.ok(license.assignedEnvironmentsCount >= 1)
    assert.deepEqual((await api('GET', `${path}/${license.id}`)).json, license)
    assert.equal((await api('GET', `${path}?filter=${encodeURIComponent('status eq "EXPIRED"')}`)).json.size, 0)
  })

  test('other organizations are not told from none', async () => {
    const foreign = randomUUID()
    for (const path of [
      foreign,
      `${foreign}/licenses`,
      `${foreign}/licenses/${randomUUID()}`,
      `${stile().organizationId}/licenses/${randomUUID()}`,
    ]) {
      assert.equal((await api('GET', `/v1/organizations/${path}`)).status, 404)
    }
    const ofEnvironment = await administrator(stile(), {
      role: 'Environment Admin',
      type: 'ENVIRONMENT',
      id: stile().environmentId,
    })
    assert.equal((await api('GET', '/v1/organizations', undefined, { token: ofEnvironment })).status, 403)
  })
})
