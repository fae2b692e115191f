/** Settings of an environment (extension; decisions D4, D18, D24). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { basic, type Stile } from '../harness/stile.ts'
import { echoOf } from './echo.ts'
import { administrator, onEachEngine } from './people.ts'

const defaults = {
  signingAlgorithm: 'RS256',
  keyPublicationSeconds: 86_400,
  accessTokenSeconds: 3600,
  idTokenSeconds: 3600,
  authorizationCodeSeconds: 60,
  requirePushedAuthorizationRequests: false,
  clientAssertionSeconds: 300,
  dpopNonceRequired: false,
  authorizationDetailsTypes: [],
  sessionIdleMinutes: 43_200,
  sessionAbsoluteMinutes: 129_600,
}

await onEachEngine('settings', (stile) => {
  const api = (...call: Parameters<Stile['api']>) => stile().api(...call)

  /** An environment of its own, so that its keys are told apart. */
  async function environment(name: string): Promise<string> {
    const { json } = await api('GET', '')
    const body = { name: `${name} ${Math.random()}`, type: 'SANDBOX', region: 'NA', license: json.license }
    return `/v1/environments/${(await api('POST', '/v1/environments', body)).json.id}`
  }

  async function algorithms(path: string): Promise<string[]> {
    const { json } = await stile().send(`/${path.split('/').at(-1)}/as/jwks`)
    return json.keys.map(({ alg }: { alg: string }) => alg).toSorted()
  }

  test('begin with their defaults, and go back to them when left out', async () => {
    const path = await environment('Defaults')
    const { status, json } = await api('GET', `${path}/settings`)
    assert.equal(status, 200)
    assert.deepEqual(echoOf(json), defaults)
    assert.equal(json.environment.id, path.split('/').at(-1))
    assert.equal(json._links.self.href, `${stile().apiUrl}${path}/settings`)

    const changed = await api('PUT', `${path}/settings`, { accessTokenSeconds: 600, idTokenSeconds: 300 })
    assert.deepEqual([changed.status, changed.json.accessTokenSeconds, changed.json.idTokenSeconds], [200, 600, 300])
    assert.deepEqual((await api('GET', `${path}/settings`)).json, changed.json)
    const again = await api('PUT', `${path}/settings`, { accessTokenSeconds: null })
    assert.deepEqual([again.json.accessTokenSeconds, again.json.idTokenSeconds], [3600, 3600])
  })

  test('are refused out of their range', async () => {
    for (const [member, value] of [
      ['accessTokenSeconds', 59],
      ['idTokenSeconds', 86_401],
      ['authorizationCodeSeconds', 9],
      ['sessionIdleMinutes', 0],
      ['sessionAbsoluteMinutes', 1.5],
      ['signingAlgorithm', 'none'],
      ['signingAlgorithm', 'HS256'],
      ['keyPublicationSeconds', 309],
    ] as const) {
      const { status, json } = await api('PUT', '/settings', { [member]: value })
      assert.deepEqual([status, json.details?.[0].target], [400, member])
    }
  })

  test('switch the signing algorithm with a key that is made once and used at once', async () => {
    const path = await environment('Algorithms')
    assert.deepEqual(await algorithms(path), ['RS256'])
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api('PUT', `${path}/settings`, { signingAlgorithm: 'ES256' })),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    assert.deepEqual(await algorithms(path), ['ES256', 'RS256'], 'one new key, and the old one stays')
    await api('PUT', `${path}/settings`, { signingAlgorithm: 'RS256' })
    await api('PUT', `${path}/settings`, { signingAlgorithm: 'ES256' })
    assert.deepEqual(await algorithms(path), ['ES256', 'RS256'])
  })

  test('leave tokens alive that the other algorithm signed', async () => {
    const { worker, environmentId } = stile()
    const token = async (): Promise<string> => {
      const headers = { authorization: basic(worker.clientId, worker.clientSecret) }
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return (await stile().send(`/${environmentId}/as/token`, { body, headers })).json.access_token
    }
    const algorithm = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).alg
    const before = await token()
    const { signingAlgorithm: present } = (await api('GET', '/settings')).json
    const other = present === 'ES256' ? 'RS256' : 'ES256'
    await api('PUT', '/settings', { signingAlgorithm: other })
    const after = await token()
    assert.deepEqual([algorithm(before), algorithm(after)], [present, other])
    for (const each of [before, after]) assert.equal((await api('GET', '', undefined, { token: each })).status, 200)
    await api('PUT', '/settings', { signingAlgorithm: present })
  })

  test('are changed by administrators of the environment alone', async () => {
    const at = { type: 'ENVIRONMENT', id: stile().environmentId } as const
    const reader = await administrator(stile(), { role: 'Configuration Read Only', ...at })
    assert.equal((await api('GET', '/settings', undefined, { token: reader })).status, 200)
    assert.equal((await api('PUT', '/settings', {}, { token: reader })).status, 403)
    const stranger = await administrator(stile())
    assert.equal((await api('GET', '/settings', undefined, { token: stranger })).status, 403)
    assert.equal((await api('GET', '/settings', undefined, { token: null })).status, 401)
  })
})
