/**
 * The configuration cache (decision D23; architecture section 5, "Snapshot"): what one node changes, the others know within
 * a second; a node that has lost touch decides nothing; a load that a change overtook is not kept.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Environments, openEnvironments } from '../../src/environment/environments.ts'
import { startHealth } from '../../src/http/health.ts'
import type { Storage } from '../../src/storage/port.ts'
import { environmentVersions } from '../../src/storage/sql/environments.ts'
import { realWorld, type TestWorld, testWorld } from '../../src/world.ts'
import { begin, bodyOf, newApplication } from '../flow-runtime/arrange.ts'
import { watchStorage } from '../flow-runtime/watch-storage.ts'
import { Browser, piFlowRequest, pkce } from '../harness/sign-on.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { basic, type Stile, startStile } from '../harness/stile.ts'
import { registerForSignOff, signedOn, signOff } from '../oauth/endpoints/signed-on.ts'
import { codeRequest, flowOf, isLive, told } from '../oauth/journeys.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { startSecondNode } from './second-node.ts'

/** How long something takes to become true, milliseconds. */
async function until(isTrue: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (!(await isTrue())) {
    assert.ok(performance.now() - began < 10_000, 'it never came true')
    await pause(10)
  }
  return performance.now() - began
}

/** Whatever is asked for leads to the installation. */
const dns = { texts: async () => [], aliases: async () => ['localhost'] }

const cluster = await startPostgres()
if ('missing' in cluster) test('two nodes on one PostgreSQL', (context) => absent(context, cluster.missing))
else {
  suite('two nodes on one PostgreSQL', () => {
    let first: Stile
    let second: Stile
    before(async () => {
      const databaseUrl = await createDemoDatabase(cluster)
      first = await startStile({ databaseUrl, dns })
      second = await startSecondNode(first, databaseUrl)
    })
    after(async () => {
      await second.close()
      await first.close()
      await cluster.stop()
    })

    const ask = (node: Stile, application: string) =>
      new Browser(node).authorize(piFlowRequest(node, pkce().challenge, { client_id: application }))

    test('I13: who signed off at one is signed off at the other, with what was issued and what was begun', async () => {
      const app = await registerForSignOff(first)
      const at = await signedOn(first, app)
      const { cookie } = at.browser
      const there = () => Object.assign(new Browser(second), { cookie })
      const silent = async () => told(await there().authorize(codeRequest(app, { prompt: 'none' }))).get('error')
      assert.equal(await silent(), null)
      assert.equal(await isLive(second, at.accessToken), true)
      const flowId = flowOf(await there().authorize(codeRequest(app, { prompt: 'login' })))
      await signOff(at.browser, { id_token_hint: at.idToken })
      assert.equal(await silent(), 'login_required')
      assert.equal(await isLive(second, at.accessToken), false)
      const page = await there().send(`/${second.environmentId}/signon/?flowId=${flowId}`)
      assert.deepEqual([page.status, page.headers.get('cache-control')], [404, 'no-store'])
    })

    test('what the first changes, the second knows within a second', async () => {
      const application = await newApplication(first)
      const { json } = await first.api('GET', `/applications/${application}`)
      const settings = (await first.api('GET', '/settings')).json
      const policies = (await first.api('GET', '/signOnPolicies')).json._embedded.signOnPolicies
      const policy = policies.find((each: { readonly default: boolean }) => each.default)
      const [action] = (await first.api('GET', `/signOnPolicies/${policy.id}/actions`)).json._embedded.actions
      const isKnown = async (node: Stile) => (await ask(node, application)).status === 200
      const lifetime = async (node: Stile) => {
        const { environmentId, worker } = node
        const answer = await node.send(`/${environmentId}/as/token`, {
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
          headers: { authorization: basic(worker.clientId, worker.clientSecret) },
        })
        return answer.json.expires_in
      }
      const asksAlways = async (node: Stile) => {
        const environment = await node.node.kernel.environments.get(node.environmentId)
        return environment?.policies.get(policy.id)?.actions[0]?.condition === null
      }
      const times: number[] = []
      /** Makes a change by the first node: at once true there, soon by the second. */
      async function change(
        make: () => Promise<{ status: number; text: string }>,
        isSeen: (node: Stile) => Promise<boolean>,
      ) {
        assert.equal(await isSeen(second), false, 'and the second has it cached as it was')
        const { status, text } = await make()
        assert.ok(status < 300, text)
        assert.ok(await isSeen(first), 'the node that made it')
        times.push(await until(() => isSeen(second)))
      }
      const put = (path: string, body: object) => () => first.api('PUT', path, body)
      await change(
        put(`/applications/${application}`, { ...json, enabled: false }),
        async (node) => !(await isKnown(node)),
      )
      await change(put(`/applications/${application}`, { ...json, enabled: true }), isKnown)
      await change(
        put('/settings', { ...settings, accessTokenSeconds: 120 }),
        async (node) => (await lifetime(node)) === 120,
      )
      await change(put('/settings', settings), async (node) => (await lifetime(node)) === settings.accessTokenSeconds)
      const { condition: _, ...unconditional } = action
      await change(put(`/signOnPolicies/${policy.id}/actions/${action.id}`, unconditional), asksAlways)
      await change(
        () => first.api('DELETE', `/applications/${application}`),
        async (node) => !(await isKnown(node)),
      )
      // A slow machine may keep one of them waiting for its turn; none of them may miss a second poll.
      assert.ok((times.toSorted((a, b) => a - b)[3] ?? 0) < 1000, times.map(Math.round).join(', '))
    })

    test('a custom domain is known by the second within a second, and no longer than by the first', async () => {
      const { id } = (await first.api('POST', '/customDomains', { domainName: 'two.example.test' })).json
      const seen = async (node: Stile) =>
        (await node.send('/as/jwks', { headers: { host: 'two.example.test' } })).status
      const verify = { mediaType: 'application/vnd.pingidentity.domainName.verify+json' }
      assert.equal((await first.api('POST', `/customDomains/${id}`, undefined, verify)).status, 200)
      assert.equal(await seen(first), 200)
      assert.ok((await until(async () => (await seen(second)) === 200)) < 3000)
      assert.equal((await first.api('DELETE', `/customDomains/${id}`)).status, 204)
      assert.equal(await seen(first), 404)
      assert.ok((await until(async () => (await seen(second)) === 404)) < 3000)
    })

    test('an environment that is deleted is gone on the second as well', async () => {
      const license = (await first.api('GET', `/v1/organizations/${first.organizationId}/licenses`)).json._embedded
        .licenses[0].id
      const body = { name: 'Short', type: 'SANDBOX', region: 'NA', license: { id: license } }
      const { id } = (await first.api('POST', '/v1/environments', body)).json
      const keys = (node: Stile) => node.send(`/${id}/as/jwks`)
      await until(async () => (await keys(second)).status === 200)
      assert.ok((await first.api('DELETE', `/v1/environments/${id}`)).status < 300)
      assert.equal((await keys(first)).status, 404)
      assert.ok((await until(async () => (await keys(second)).status === 404)) < 3000)
    })

    test('a flow begun by one goes on at the other, and its cookie with it', async () => {
      const browser = new Browser(first)
      const flowId = await begin(browser, 'redirect')
      const there = Object.assign(new Browser(second), { cookie: browser.cookie })
      const done = await there.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', first.user))
      assert.equal(done.json.status, 'COMPLETED')
      const back = Object.assign(new Browser(first), { cookie: there.cookie })
      assert.equal((await back.resume(flowId)).status, 302)
    })
  })
}

suite('a node that has lost touch (D23)', () => {
  let world: TestWorld
  let stile: Stile
  before(async () => {
    world = testWorld()
    stile = await startStile({ world })
  })
  after(() => stile.close())

  /** From now on the feed cannot be read; everything else can. */
  function loseTouch(): () => void {
    const own = stile.node.kernel.storage as { -readonly [K in keyof Storage]: Storage[K] }
    const { read } = own
    const feed = environmentVersions(0).text
    own.read = (statement) =>
      statement.text === feed ? Promise.reject(new Error('no feed')) : (read.call(own, statement) as never)
    return () => {
      own.read = read
    }
  }

  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    return typeof address === 'object' && address ? address.port : assert.fail('no port')
  }

  test('for 5 seconds it goes on; then it stops issuing and deciding, while discovery, keys and liveness go on', async (context) => {
    const { environmentId, node, worker } = stile
    const { kernel } = node
    const port = await freePort()
    const health = await startHealth(kernel, port, '127.0.0.1')
    context.after(() => health.close())
    const probe = async (name: string) => (await fetch(`http://127.0.0.1:${port}/health/${name}`)).status
    const browser = new Browser(stile)
    const flowId = await begin(browser)
    const token = await stile.workerToken()
    const deciding = () =>
      Promise.all([
        stile.send(`/${environmentId}/as/token`, {
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
          headers: { authorization: basic(worker.clientId, worker.clientSecret) },
        }),
        browser.authorize(piFlowRequest(stile, pkce().challenge)),
        browser.send(`/${environmentId}/flows/${flowId}`),
        browser.act(flowId, 'usernamePassword.check', { username: 'x', password: 'x' }),
        browser.resume(flowId),
        browser.send(`/${environmentId}/signon/?flowId=${flowId}`),
        stile.send(`/${environmentId}/as/userinfo`, { token }),
        stile.send(`/v1/environments/${environmentId}/users`, { token }),
      ])
    const published = () =>
      Promise.all([
        stile.send(`/${environmentId}/as/.well-known/openid-configuration`),
        stile.send(`/${environmentId}/as/jwks`),
        stile.send('/v1/openapi.json'),
      ])
    const answered = (answers: readonly { status: number }[]) => answers.map(({ status }) => status)
    await kernel.environments.poll()
    const usual = answered(await deciding())
    assert.ok(usual.every((status) => status !== 503))
    assert.deepEqual([await probe('live'), await probe('ready')], [200, 200])

    const restore = loseTouch()
    context.after(restore)
    kernel.log.level = 'silent'
    world.advance(5000)
    await kernel.environments.poll()
    assert.deepEqual(answered(await deciding()), usual, 'still within 5 seconds')
    world.advance(1)
    const watch = watchStorage(kernel)
    const stale = await deciding()
    watch.stop()
    for (const { status, headers, text } of stale) {
      assert.equal(status, 503, text)
      assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    }
    assert.deepEqual([watch.reads, watch.commits], [[], []], 'nothing is even looked at')
    assert.deepEqual(answered(await published()), [200, 200, 200])
    assert.deepEqual([await probe('live'), await probe('started'), await probe('ready')], [200, 200, 503])

    restore()
    kernel.log.level = 'error'
    await kernel.environments.poll()
    assert.deepEqual(answered(await deciding()), usual)
    assert.equal(await probe('ready'), 200)
  })
})

suite('loading', () => {
  let stile: Stile
  let cache: Environments
  /** Answers of reads that match are held back until they are let go. */
  let hold: { readonly match: RegExp; readonly gate: Promise<void> } | undefined
  let reads: string[] = []
  before(async () => {
    stile = await startStile()
    const { storage, masterKeys, log } = stile.node.kernel
    const slow: Storage = {
      ...storage,
      engine: storage.engine,
      counts: () => storage.counts(),
      commit: (unit) => storage.commit(unit),
      close: () => storage.close(),
      async read(statement) {
        const rows = await storage.read(statement)
        reads.push(statement.text)
        if (hold?.match.test(statement.text)) await hold.gate
        return rows
      },
    }
    cache = openEnvironments({ storage: slow, world: realWorld, masterKeys, log })
    await cache.poll()
  })
  after(async () => {
    cache.close()
    await stile.close()
  })

  function holdBack(match: RegExp): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    hold = { match, gate: promise }
    return () => {
      hold = undefined
      resolve()
    }
  }
  const loaded = (pattern: RegExp) => reads.filter((text) => pattern.test(text)).length
  const snapshot = /FROM environments WHERE id/
  const application = /FROM applications/

  test('one load serves everybody who asks meanwhile, and then nobody has to wait', async () => {
    cache.forget(stile.environmentId)
    reads = []
    const asked = await Promise.all(Array.from({ length: 20 }, async () => cache.get(stile.environmentId)))
    assert.equal(new Set(asked).size, 1)
    assert.equal(loaded(snapshot), 1)
    assert.equal(cache.get(stile.environmentId), asked[0])
  })

  test('an environment or application that is not there is asked for again: it may come', async () => {
    const id = randomUUID()
    reads = []
    for (let time = 0; time < 2; time++) assert.equal(await cache.get(id), undefined)
    assert.equal(loaded(snapshot), 2)
    for (let time = 0; time < 2; time++) assert.equal(await cache.application(stile.environmentId, id), undefined)
    assert.equal(loaded(application), 2)
  })

  test('a load that fails is not kept', async () => {
    cache.forget(stile.environmentId)
    hold = { match: snapshot, gate: Promise.reject(new Error('away')) }
    await assert.rejects(async () => cache.get(stile.environmentId), /away/)
    hold = undefined
    assert.equal((await cache.get(stile.environmentId))?.id, stile.environmentId)
  })

  test('a snapshot that a change overtook is not kept', async () => {
    cache.forget(stile.environmentId)
    const release = holdBack(snapshot)
    const loading = cache.get(stile.environmentId)
    await until(async () => loaded(snapshot) > 0)
    const { json } = await stile.api('GET', '/settings')
    assert.equal((await stile.api('PUT', '/settings', { ...json, accessTokenSeconds: 240 })).status, 200)
    await cache.poll()
    release()
    assert.notEqual((await loading)?.settings.accessTokenSeconds, 240, 'it was read before the change')
    assert.equal((await cache.get(stile.environmentId))?.settings.accessTokenSeconds, 240)
  })

  test('an application that a change overtook is not kept', async () => {
    const id = await newApplication(stile)
    await cache.poll()
    reads = []
    const release = holdBack(application)
    const loading = cache.application(stile.environmentId, id)
    await until(async () => loaded(application) > 0)
    const { json } = await stile.api('GET', `/applications/${id}`)
    await stile.api('PUT', `/applications/${id}`, { ...json, enabled: false })
    await cache.poll()
    release()
    assert.equal((await loading)?.enabled, true, 'it was read before the change')
    assert.equal((await cache.application(stile.environmentId, id))?.enabled, false)
  })

  test('a change evicts what it touched and nothing else', async () => {
    const [one, other] = [await newApplication(stile), await newApplication(stile)]
    await cache.poll()
    await Promise.all([
      cache.get(stile.environmentId),
      cache.application(stile.environmentId, one),
      cache.application(stile.environmentId, other),
    ])
    const { json } = await stile.api('GET', `/applications/${one}`)
    await stile.api('PUT', `/applications/${one}`, { ...json, name: `Renamed ${randomUUID()}` })
    reads = []
    await cache.poll()
    for (const cached of [cache.get(stile.environmentId), cache.application(stile.environmentId, other)])
      assert.ok(!(cached instanceof Promise))
    assert.match((await cache.application(stile.environmentId, one))?.name ?? '', /^Renamed/)
    assert.deepEqual([loaded(snapshot), loaded(application)], [0, 1])
  })

  test('keys that a change left alone are taken over; after an environment was forgotten they are read again', async () => {
    const privateKeys = async () => {
      const environment = await cache.get(stile.environmentId)
      return environment?.signingKeys.map(({ privateKey }) => privateKey) ?? []
    }
    const before = await privateKeys()
    assert.ok(before.length > 0)
    await stile.api('POST', '/populations', { name: `Population ${randomUUID()}` })
    reads = []
    await cache.poll()
    const after = await privateKeys()
    assert.equal(loaded(snapshot), 1)
    assert.ok(after.length === before.length && after.every((key, at) => key === before[at]))
    cache.forget(stile.environmentId)
    assert.ok((await privateKeys()).every((key, at) => key !== before[at]))
  })

  test('a change by this cache is forgotten before it answers; one that rolls back changes nothing', async () => {
    const before = await cache.get(stile.environmentId)
    assert.ok(before)
    const bump = (end: () => void) =>
      cache.configure(stile.environmentId, 'test.change', Date.now(), function* (changes) {
        changes.push({ kind: 'snapshot' })
        yield { text: 'UPDATE environments SET name = $2 WHERE id = $1', values: [stile.environmentId, 'Renamed'] }
        end()
        return 'done'
      })
    await assert.rejects(
      bump(() => {
        throw new Error('given up')
      }),
      /given up/,
    )
    assert.equal(cache.get(stile.environmentId), before)
    assert.equal(await bump(() => undefined), 'done')
    const changed = await cache.get(stile.environmentId)
    assert.equal(changed?.name, 'Renamed')
    assert.ok(changed.version > before.version)
  })
})
