/** The demo environment at later starts: what is as it was told costs nothing, what is not is mended (src/dev/demo-stored.ts). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test, type TestContext } from 'node:test'
import { type DevServer, startDevServer } from '../../src/cli/dev-server.ts'
import { readConfig } from '../../src/config.ts'
import { ManagementClient, workerToken } from '../../src/dev/management-client.ts'
import type { Quickstart } from '../../src/dev/quickstart.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { realWorld } from '../../src/world.ts'
import { beginWithDemo, testSettings } from '../harness/demo-template.ts'
import { sharedHashingPool } from '../harness/hashing-pool.ts'
import { sharedRsaKeyPair } from '../harness/rsa-key.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'

suite('the demo environment at a later start', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let masterKey: string
  let facts: Quickstart

  const start = (previous: Quickstart | undefined, authUrl = 'http://localhost:1'): Promise<DevServer> =>
    startDevServer(
      readConfig('dev', { ...testSettings, STILE_PUBLIC_URL: authUrl }, { port: '0', dataDirectory: directory.path }),
      { ...realWorld, rsaKeyPair: sharedRsaKeyPair },
      parseMasterKeys(masterKey),
      previous,
      { passwords: sharedHashingPool() },
    )
  /** Starts once and ends: how often the management API was asked, and what is told. */
  async function startAgain({ mock }: TestContext, previous: Quickstart, authUrl?: string) {
    const calls = mock.method(ManagementClient.prototype, 'call')
    const { node, quickstart } = await start(previous, authUrl)
    const asked = calls.mock.callCount()
    calls.mock.restore()
    await node.close()
    return { asked, quickstart }
  }
  /** Changes something by the management API, while the server runs. */
  async function change(by: (api: ManagementClient, environment: string) => Promise<unknown>): Promise<void> {
    const { node } = await start(facts)
    const { clientId, clientSecret } = facts.worker
    const token = await workerToken(node.app, facts.environmentId, clientId, clientSecret)
    await by(new ManagementClient(node.app, token), `/environments/${facts.environmentId}`)
    await node.close()
  }

  before(async () => {
    directory = await temporaryDirectory()
    const { masterKey: key, previous } = await beginWithDemo(directory.path, undefined)
    masterKey = key
    const { node, quickstart } = await start(previous)
    facts = quickstart
    await node.close()
  })
  after(() => directory.remove())

  test('asks nothing where everything is as it was told', async (t) => {
    assert.deepEqual(await startAgain(t, facts), { asked: 0, quickstart: facts })
  })

  test('tells a secret that was made anew, and asks nothing', async (t) => {
    let secret = ''
    await change(async (api, environment) => {
      const made = await api.call('POST', `${environment}/applications/${facts.webApp.clientId}/secret`)
      secret = String(made['secret'])
    })
    const { asked, quickstart } = await startAgain(t, facts)
    assert.equal(asked, 0)
    assert.notEqual(secret, facts.webApp.clientSecret)
    assert.deepEqual(quickstart, { ...facts, webApp: { ...facts.webApp, clientSecret: secret } })
    facts = quickstart
  })

  test('follows another address', async (t) => {
    const { asked, quickstart } = await startAgain(t, facts, 'http://localhost:2')
    assert.ok(asked > 0)
    assert.equal(quickstart.webApp.redirectUri, facts.webApp.redirectUri.replace(':1/', ':2/'))
    facts = (await startAgain(t, quickstart)).quickstart
  })

  const wrong: Readonly<Record<string, (told: Quickstart) => Quickstart>> = {
    'another environment': (told) => ({ ...told, environmentId: randomUUID() }),
    'another population': (told) => ({ ...told, populationId: randomUUID() }),
    'another administrator': (told) => ({ ...told, worker: { ...told.worker, clientId: randomUUID() } }),
    'another application': (told) => ({ ...told, nativeApp: { ...told.nativeApp, clientId: randomUUID() } }),
    'an application in the place of another': (told) => ({ ...told, nativeApp: told.mfaApp }),
  }
  for (const [name, tell] of Object.entries(wrong)) {
    test(`tells what there is, whatever was told: ${name}`, async (t) => {
      const { asked, quickstart } = await startAgain(t, tell(facts))
      assert.ok(asked > 0)
      assert.deepEqual(quickstart, facts)
    })
  }

  const changes: Readonly<Record<string, (api: ManagementClient, environment: string) => Promise<unknown>>> = {
    'a user is gone': (api, environment) => api.call('DELETE', `${environment}/users/${facts.user.id}`),
    'a user has another name': async (api, environment) => {
      const path = `${environment}/users/${facts.mfaUser.id}`
      const user = await api.call('GET', path)
      await api.call('PUT', path, { ...user, username: `renamed-${randomUUID()}`, email: 'renamed@example.com' })
    },
    'a device is gone': async (api, environment) => {
      const path = `${environment}/users/${facts.mfaUser.id}/devices`
      const [device] = await api.list(path, 'devices')
      await api.call('DELETE', `${path}/${device?.id}`)
    },
    'an application is gone': (api, environment) =>
      api.call('DELETE', `${environment}/applications/${facts.singlePageApp.clientId}`),
    'an application has another name': async (api, environment) => {
      const path = `${environment}/applications/${facts.webApp.clientId}`
      await api.call('PUT', path, { ...(await api.call('GET', path)), name: 'Mine' })
    },
    'an application wants its answers elsewhere': async (api, environment) => {
      const path = `${environment}/applications/${facts.mfaApp.clientId}`
      await api.call('PUT', path, { ...(await api.call('GET', path)), redirectUris: ['https://app.test/cb'] })
    },
    'a second factor is no longer asked for': async (api, environment) => {
      const path = `${environment}/applications/${facts.mfaApp.clientId}/signOnPolicyAssignments`
      const [assignment] = await api.list(path, 'signOnPolicyAssignments')
      await api.call('DELETE', `${path}/${assignment?.id}`)
    },
  }
  for (const [name, by] of Object.entries(changes)) {
    test(`is mended once where ${name}`, async (t) => {
      await change(by)
      const mended = await startAgain(t, facts)
      assert.ok(mended.asked > 0)
      facts = mended.quickstart
      assert.deepEqual(await startAgain(t, facts), { asked: 0, quickstart: facts })
    })
  }
})
