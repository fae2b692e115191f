/** Key rotation policies and keys: platform-api 3.15; rows F10, F12. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { rotateKeys } from '../../src/jobs/rotate-keys.ts'
import { testWorld } from '../../src/world.ts'
import { expectStatus, otherEnvironment, register, wrk } from '../oauth/registrations.ts'
import type { Json } from './echo.ts'
import { administrator, onEachEngine, vendor } from './people.ts'

/** As PingOne's own example has it. */
const pingOne = {
  name: 'Test Key Rotation Policy',
  dn: 'CN=Test Key Rotation Policy, OU=Ping Identity, O=Ping Identity, L=, ST=, C=US',
  algorithm: 'RSA',
  keyLength: 2048,
  validityPeriod: 365,
  signatureAlgorithm: 'SHA256withRSA',
  usageType: 'SIGNING',
  rotationPeriod: 120,
}
const elliptic = { ...pingOne, algorithm: 'EC', keyLength: 256, signatureAlgorithm: 'SHA256withECDSA' }
const day = 86_400_000
const world = testWorld()

await onEachEngine(
  'key rotation policies',
  (stile) => {
    const api = (...call: Parameters<ReturnType<typeof stile>['api']>) => stile().api(...call)
    const create = async (body: object = elliptic) =>
      expectStatus(await api('POST', '/keyRotationPolicies', { ...body, name: `Policy ${randomUUID()}` }), 201)
    const read = async (id: string) => expectStatus(await api('GET', `/keyRotationPolicies/${id}`), 200)
    const remove = (id: string) => api('DELETE', `/keyRotationPolicies/${id}`)
    const rotate = async (id: string) =>
      expectStatus(await api('POST', `/keyRotationPolicies/${id}`, {}, vendor('keyRotationPolicy.rotate')), 200)
    const jwks = async (): Promise<string[]> => {
      const { json } = await stile().send(`/${stile().environmentId}/as/jwks`)
      return json.keys.map(({ kid }: { kid: string }) => kid)
    }
    const key = async (id: string) => expectStatus(await api('GET', `/keys/${id}`), 200)
    const advance = async (milliseconds: number) => {
      world.advance(milliseconds)
      // Twice: one that was under way has seen the time before.
      await stile().node.kernel.environments.poll()
      await stile().node.kernel.environments.poll()
    }

    test('3.15: PingOne’s own body is echoed, with two keys that both stand in the JWKS', async () => {
      const answer = await api('POST', '/keyRotationPolicies', pingOne)
      const policy = expectStatus(answer, 201)
      assert.equal(answer.headers.get('location'), policy._links.self.href)
      const { _links, id, environment, currentKeyId, nextKeyId, rotatedAt, ...echoed } = policy
      assert.deepEqual(echoed, { ...pingOne, default: false })
      assert.equal(environment.id, stile().environmentId)
      assert.ok(Math.abs(Date.parse(rotatedAt) - world.now()) < 1000)
      assert.notEqual(currentKeyId, nextKeyId)
      const published = await jwks()
      assert.ok(published.includes(currentKeyId) && published.includes(nextKeyId))
      assert.deepEqual(await read(id), policy)

      const own = expectStatus(await api('GET', `/keyRotationPolicies/${id}/jwks`), 200)
      assert.deepEqual(new Set(own.keys.map(({ kid }: Json) => kid)), new Set([currentKeyId, nextKeyId]))
      for (const jwk of own.keys) {
        assert.deepEqual(Object.keys(jwk).toSorted(), ['alg', 'e', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t'])
      }
      const list = expectStatus(await api('GET', '/keyRotationPolicies'), 200)
      assert.equal(list.size, list._embedded.keyRotationPolicies.length)
      assert.ok(list._embedded.keyRotationPolicies.some((one: Json) => one.id === id))
      assert.equal(list._embedded.keyRotationPolicies.filter((one: Json) => one.default).length, 1)
      assert.equal((await remove(id)).status, 204)
    })

    test('defaults are PingOne’s, and what does not fit together is refused', async () => {
      const { validityPeriod: _validity, rotationPeriod: _rotation, ...short } = elliptic
      const made = await create(short)
      assert.deepEqual([made.validityPeriod, made.rotationPeriod], [365, 90])
      await remove(made.id)
      for (const [members, target] of [
        [{ dn: 'nothing' }, 'dn'],
        [{ keyLength: 1024 }, 'keyLength'],
        [{ algorithm: 'RSA' }, 'algorithm'],
        [{ signatureAlgorithm: 'SHA1withRSA' }, 'signatureAlgorithm'],
        [{ signatureAlgorithm: 'SHA384withECDSA' }, 'keyLength'],
        [{ usageType: 'ENCRYPTION' }, 'usageType'],
        [{ rotationPeriod: 29 }, 'rotationPeriod'],
        [{ rotationPeriod: 365 }, 'rotationPeriod'],
        [{ validityPeriod: 30 }, 'validityPeriod'],
        [{ name: '' }, 'name'],
      ] as const) {
        const { status, json } = await api('POST', '/keyRotationPolicies', { ...elliptic, ...members })
        assert.deepEqual([status, json.code, json.details[0].target], [400, 'INVALID_DATA', target])
      }
    })

    test('~/keys: a key with what its certificate says, and nothing private', async () => {
      const policy = await create()
      const current = await key(policy.currentKeyId)
      assert.deepEqual(
        [current.designation, current.default, current.status, current.keyRotationPolicy.id, current.name],
        ['CURRENT', false, 'VALID', policy.id, policy.name],
      )
      assert.deepEqual(
        [current.algorithm, current.keyLength, current.signatureAlgorithm, current.usageType, current.validityPeriod],
        ['EC', 256, 'SHA256withECDSA', 'SIGNING', 365],
      )
      assert.equal(current.subjectDN, 'CN=Test Key Rotation Policy,OU=Ping Identity,O=Ping Identity,C=US')
      assert.equal(current.issuerDN, current.subjectDN)
      assert.ok(Number.isSafeInteger(current.serialNumber) && current.serialNumber > 0)
      assert.equal(Date.parse(current.expiresAt) - Date.parse(current.startsAt), 365 * day)
      assert.equal((await key(policy.nextKeyId)).designation, 'NEXT')
      const { text } = await api('GET', '/keys')
      assert.ok(!/sealed|"d"|PRIVATE/.test(text), 'F10')
      assert.equal((await api('GET', `/keys/${randomUUID()}`)).status, 404)
      await remove(policy.id)
    })

    test('a change of the schedule moves the next key; one of its shape makes it anew; the present one stays', async () => {
      const policy = await create()
      const { currentKeyId, nextKeyId } = policy
      const put = async (members: object) =>
        expectStatus(
          await api('PUT', `/keyRotationPolicies/${policy.id}`, { ...elliptic, name: policy.name, ...members }),
          200,
        )
      const planned = async (id: string) => Date.parse((await key(id)).signsFrom) - Date.parse(policy.rotatedAt)
      assert.equal(await planned(nextKeyId), 120 * day)
      const sooner = await put({ rotationPeriod: 40 })
      assert.deepEqual([sooner.currentKeyId, sooner.nextKeyId], [currentKeyId, nextKeyId])
      assert.equal(await planned(nextKeyId), 40 * day)
      const renamed = await put({ rotationPeriod: 40, dn: 'CN=Other, C=DE' })
      assert.equal(renamed.currentKeyId, currentKeyId)
      assert.notEqual(renamed.nextKeyId, nextKeyId)
      assert.equal((await key(renamed.nextKeyId)).subjectDN, 'CN=Other,C=DE')
      assert.equal((await api('GET', `/keys/${nextKeyId}`)).status, 404, 'it has never signed')
      assert.equal(await planned(renamed.nextKeyId), 40 * day)
      const other = { ...elliptic, signatureAlgorithm: 'SHA384withECDSA', keyLength: 384 }
      const { status, json } = await api('PUT', `/keyRotationPolicies/${policy.id}`, other)
      assert.deepEqual([status, json.details[0].target], [400, 'signatureAlgorithm'])
      await remove(policy.id)
    })

    test('R17: on demand the next key signs after ten seconds, as it is known long since; after a rotation, after 310', async () => {
      const policy = await create()
      await advance(600_000)
      const rotated = await rotate(policy.id)
      assert.equal(rotated.currentKeyId, policy.currentKeyId, 'not yet')
      assert.equal(rotated.nextKeyId, policy.nextKeyId)
      await advance(9_999)
      assert.equal((await read(policy.id)).currentKeyId, policy.currentKeyId)
      await advance(1)
      const after = await read(policy.id)
      assert.equal(after.currentKeyId, policy.nextKeyId)
      assert.equal(Date.parse(after.rotatedAt), world.now())
      assert.equal(Date.parse((await key(after.nextKeyId)).signsFrom), world.now() + 120 * day)
      assert.equal((await key(policy.currentKeyId)).designation, 'PREVIOUS')

      const again = await rotate(policy.id)
      assert.equal(Date.parse((await key(again.nextKeyId)).signsFrom) - world.now(), 300_000, 'made 10 s ago')
      await remove(policy.id)
    })

    test('F12: the key that signs cannot be taken away; the others can, and a next one is made anew', async () => {
      const policy = await create()
      const refused = await api('DELETE', `/keys/${policy.currentKeyId}`)
      assert.deepEqual([refused.status, refused.json.details[0].code], [400, 'CONSTRAINT_VIOLATION'])
      assert.equal((await api('DELETE', `/keys/${policy.nextKeyId}`)).status, 204)
      assert.equal((await read(policy.id)).nextKeyId, undefined)
      const { kernel } = stile().node
      await rotateKeys(kernel, new AbortController().signal)
      const { nextKeyId } = await read(policy.id)
      assert.ok(nextKeyId && nextKeyId !== policy.nextKeyId)
      await advance(400_000)
      await rotate(policy.id)
      await advance(10_000)
      assert.ok((await jwks()).includes(policy.currentKeyId))
      assert.equal((await api('DELETE', `/keys/${policy.currentKeyId}`)).status, 204)
      assert.ok(!(await jwks()).includes(policy.currentKeyId))
      await remove(policy.id)
    })

    test('F12: the default policy and one that an application or resource needs cannot be deleted', async () => {
      const list = expectStatus(await api('GET', '/keyRotationPolicies'), 200)._embedded.keyRotationPolicies
      const standard = list.find((one: Json) => one.default)
      const refused = async (id: string) => {
        const { status, json } = await remove(id)
        assert.deepEqual([status, json.code, json.details[0].code], [400, 'REQUEST_FAILED', 'CONSTRAINT_VIOLATION'])
      }
      await refused(standard.id)

      const policy = await create()
      const signing = { keyRotationPolicy: { id: policy.id } }
      const { clientId } = await register(stile(), {
        signing,
        grantTypes: ['AUTHORIZATION_CODE'],
        enabled: true,
        type: 'WEB_APP',
        protocol: 'OPENID_CONNECT',
        tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
      })
      await refused(policy.id)
      await api('DELETE', `/applications/${clientId}`)
      assert.equal((await remove(policy.id)).status, 204)

      const resource = { name: `Resource ${randomUUID()}`, signingAlgorithm: 'ES512' }
      const { id: resourceId } = expectStatus(await api('POST', '/resources', resource), 201)
      const all = expectStatus(await api('GET', '/keyRotationPolicies'), 200)._embedded.keyRotationPolicies
      const made = all.find((one: Json) => one.signatureAlgorithm === 'SHA512withECDSA')
      assert.equal(made.keyLength, 521)
      await refused(made.id)
      await api('DELETE', `/resources/${resourceId}`)
      assert.equal((await remove(made.id)).status, 204)
      assert.ok((await jwks()).includes(made.currentKeyId), 'its key verifies on')
      assert.equal((await key(made.currentKeyId)).designation, 'PREVIOUS')
    })

    test('the default policy is what ~/settings names, whichever of both is changed', async () => {
      const elsewhere = await otherEnvironment(stile())
      const settings = async () => expectStatus(await elsewhere.api('GET', '/settings'), 200).signingAlgorithm
      const standard = async () =>
        expectStatus(await elsewhere.api('GET', '/keyRotationPolicies'), 200)._embedded.keyRotationPolicies.filter(
          (one: Json) => one.default,
        )
      const made = expectStatus(
        await elsewhere.api('POST', '/keyRotationPolicies', { ...elliptic, default: true }),
        201,
      )
      assert.equal(made.default, true)
      assert.equal(await settings(), 'ES256')
      assert.deepEqual(
        (await standard()).map(({ id }: Json) => id),
        [made.id],
      )
      const keep = await elsewhere.api('PUT', `/keyRotationPolicies/${made.id}`, { ...elliptic, default: false })
      assert.deepEqual([keep.status, keep.json.details[0].target], [400, 'default'])
      expectStatus(await elsewhere.api('PUT', '/settings', { signingAlgorithm: 'EdDSA' }), 200)
      const [now] = await standard()
      assert.deepEqual([now.algorithm, now.signatureAlgorithm], ['OKP', 'Ed25519'])
      expectStatus(await elsewhere.api('PUT', `/keyRotationPolicies/${made.id}`, { ...elliptic, default: true }), 200)
      assert.equal(await settings(), 'ES256')
    })

    test('an application names a policy of its environment, of the kinds that may', async () => {
      const policy = await create()
      const body = (more: object) => ({
        name: `App ${randomUUID()}`,
        enabled: true,
        type: 'WEB_APP',
        protocol: 'OPENID_CONNECT',
        grantTypes: ['CLIENT_CREDENTIALS'],
        tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
        signing: { keyRotationPolicy: { id: policy.id } },
        ...more,
      })
      const refused = async (more: object) => {
        const { status, json } = await api('POST', '/applications', body(more))
        return [status, json.details?.[0].target]
      }
      assert.deepEqual(await refused({ signing: { keyRotationPolicy: { id: randomUUID() } } }), [
        400,
        'signing.keyRotationPolicy.id',
      ])
      assert.deepEqual(await refused({ type: 'WORKER' }), [400, 'signing'])
      assert.deepEqual(await refused({ idTokenSignedResponseAlg: 'PS256' }), [400, 'signing.keyRotationPolicy.id'])
      const { signing } = expectStatus(await api('POST', '/applications', body({})), 201)
      assert.deepEqual(signing, { keyRotationPolicy: { id: policy.id } })
    })

    test('administrators of the environment change them, readers read them, strangers neither', async () => {
      const at = { type: 'ENVIRONMENT', id: stile().environmentId } as const
      const reader = await administrator(stile(), { role: 'Configuration Read Only', ...at })
      const stranger = await administrator(stile())
      const policy = await create()
      const path = `/keyRotationPolicies/${policy.id}`
      for (const [method, where, body] of [
        ['GET', '/keyRotationPolicies', undefined],
        ['GET', path, undefined],
        ['GET', `${path}/jwks`, undefined],
        ['GET', '/keys', undefined],
        ['PUT', path, elliptic],
        ['DELETE', path, undefined],
        ['DELETE', `/keys/${policy.nextKeyId}`, undefined],
      ] as const) {
        const status = async (token: string) => (await api(method, where, body, { token })).status
        assert.deepEqual([await status(reader), await status(stranger)], [method === 'GET' ? 200 : 403, 403], where)
      }
      const mayNot = await api('POST', path, {}, { ...vendor('keyRotationPolicy.rotate'), token: reader })
      assert.equal(mayNot.status, 403)
      await register(stile(), wrk, [])
    })
  },
  { world },
)
