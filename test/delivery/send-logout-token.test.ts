/** Logout tokens on their way: what counts as told, what is tried again and when, and when it is given up (rows G01, G04, Q09). */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { promiseLogout } from '../../src/delivery/logout-notice.ts'
import { sendLogoutToken } from '../../src/delivery/send-logout-token.ts'
import type { Attempt, Outcome } from '../../src/delivery/outbox.ts'
import {
  type Egress,
  EgressFailed,
  type EgressFailure,
  openEgress,
  type OutboundRequest,
} from '../../src/external/egress.ts'
import { type TestWorld, testWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { register, web } from '../oauth/registrations.ts'

const minute = 60_000

suite('sending logout tokens', () => {
  let world: TestWorld
  let stile: Stile
  let clientId: string
  const url = 'https://app.test/logout'
  before(async () => {
    world = testWorld()
    stile = await startStile()
    clientId = (await register(stile, { ...web, backchannelLogoutUri: url })).clientId
  })
  after(() => stile.close())

  /** A handler of its own whose requests are answered as a test wants. */
  function sending(answer: (request: OutboundRequest) => number | EgressFailure) {
    const asked: OutboundRequest[] = []
    const egress: Egress = async (request) => {
      asked.push(request)
      const said = answer(request)
      if (typeof said === 'string') throw new EgressFailed(said)
      return { status: said, contentType: '', cacheControl: '', body: Buffer.alloc(0) }
    }
    const { kernel } = stile.node
    const handle = sendLogoutToken({ ...kernel, world, egress })
    const send = (more: Partial<Attempt> = {}, client = clientId): Promise<Outcome> =>
      handle(
        {
          environmentId: stile.environmentId,
          id: randomUUID(),
          payload: JSON.stringify({ clientId: client, userId: stile.user.id, sessionId: 's1' }),
          createdAt: world.now(),
          attempts: 1,
          ...more,
        },
        new AbortController().signal,
      )
    return { asked, send }
  }

  const eventsOf = async (id: string) =>
    (await rows<{ readonly action: string }>(stile, 'events', 'correlation_id = $2', id)).map(({ action }) => action)

  test('any 2xx is told, with an event; every attempt has a token of its own', async () => {
    for (const status of [200, 201, 204]) {
      const { asked, send } = sending(() => status)
      const id = randomUUID()
      assert.equal(await send({ id }), 'done')
      assert.equal(await send({ id }), 'done')
      assert.deepEqual(
        asked.map((request) => [request.method, request.url, request.headers?.['content-type']]),
        [1, 2].map(() => ['POST', url, 'application/x-www-form-urlencoded']),
      )
      const [one, two] = asked.map(({ body = '' }) => decodeJwt(new URLSearchParams(body).get('logout_token') ?? ''))
      assert.notEqual(one?.jti, two?.jti)
      assert.deepEqual({ ...one, jti: '' }, { ...two, jti: '' })
      assert.deepEqual(await eventsOf(id), ['LOGOUT_TOKEN.SENT', 'LOGOUT_TOKEN.SENT'])
    }
  })

  test('a refusal is the last word', async () => {
    for (const status of [400, 401, 403, 404, 410, 422]) {
      const id = randomUUID()
      const { asked, send } = sending(() => status)
      assert.equal(await send({ id }), 'done', String(status))
      assert.equal(asked.length, 1)
      assert.deepEqual(await eventsOf(id), ['LOGOUT_TOKEN.FAILED'])
    }
  })

  test('everything else is tried again, half a minute later at first, then ever more seldom; meanwhile nobody is asked', async () => {
    const failures: readonly (number | EgressFailure)[] = [
      500,
      502,
      503,
      408,
      425,
      429,
      'time',
      'unreachable',
      'redirect',
    ]
    for (const failure of failures) {
      const { asked, send } = sending(() => failure)
      const first = world.now()
      assert.deepEqual(await send(), { notBefore: first + minute / 2 }, String(failure))
      assert.deepEqual(await send(), { notBefore: first + minute / 2 }, 'another notice for the same application')
      assert.equal(asked.length, 1)
      for (const minutes of [1, 2, 4, 8, 10, 10]) {
        world.advance(10 * minute)
        assert.deepEqual(await send(), { notBefore: world.now() + minutes * minute })
      }
    }
  })

  test('once it answers, all its notices go', async () => {
    let status = 503
    const { asked, send } = sending(() => status)
    for (const _ of [1, 2, 3]) {
      await send()
      world.advance(10 * minute)
    }
    status = 200
    assert.deepEqual([await send(), await send()], ['done', 'done'])
    status = 503
    assert.deepEqual(await send(), { notBefore: world.now() + minute / 2 })
    assert.equal(asked.length, 6)
  })

  test('Q09: an application that is away does not make others wait', async () => {
    const other = (await register(stile, { ...web, backchannelLogoutUri: 'https://other.test/logout' })).clientId
    const { send } = sending((request) => (request.url === url ? 'time' : 200))
    assert.notEqual(await send(), 'done')
    assert.equal(await send({}, other), 'done')
  })

  test('after two hours it is given up, with an event that does not say why', async () => {
    const { asked, send } = sending(() => 200)
    const id = randomUUID()
    assert.equal(await send({ id, createdAt: world.now() - 120 * minute - 1 }), 'done')
    assert.equal(asked.length, 0)
    const [event] = await rows<{ readonly action: string; readonly document: string }>(
      stile,
      'events',
      'correlation_id = $2',
      id,
    )
    assert.deepEqual([event?.action, event?.document], ['LOGOUT_TOKEN.FAILED', '{}'])
  })

  test('an application that is gone, disabled or has no address is not asked, nor is one of an environment that is gone', async () => {
    const { asked, send } = sending(() => 200)
    const plain = await register(stile)
    const disabled = await register(stile, { ...web, enabled: false, backchannelLogoutUri: url })
    for (const client of [plain.clientId, disabled.clientId, randomUUID()]) assert.equal(await send({}, client), 'done')
    assert.equal(await send({ environmentId: randomUUID() }), 'done')
    assert.equal(asked.length, 0)
  })

  test('G01: an address that got into a row by another way is not connected to', async () => {
    const closed = [
      'https://127.0.0.1/',
      'https://169.254.169.254/',
      'https://[::1]/',
      'http://app.test/',
      'file:///etc/passwd',
    ]
    for (const address of closed) {
      const egress = openEgress({ listed: undefined, resolve: () => assert.fail('nothing is looked up') })
      const kernel = { ...stile.node.kernel, world, egress }
      const application = await kernel.environments.application(stile.environmentId, clientId)
      assert.ok(application)
      const tampered = { ...application, document: { ...application.document, backchannelLogoutUri: address } }
      const environments = { ...kernel.environments, application: () => tampered }
      const attempt = {
        environmentId: stile.environmentId,
        id: randomUUID(),
        payload: JSON.stringify({ clientId, userId: stile.user.id }),
        createdAt: world.now(),
        attempts: 1,
      }
      const outcome = await sendLogoutToken({ ...kernel, environments })(attempt, new AbortController().signal)
      assert.deepEqual(outcome, { notBefore: world.now() + minute / 2 }, address)
    }
  })

  test('what is promised holds ids and nothing else', () => {
    const { values } = promiseLogout(world, 'e', { clientId: 'c', userId: 'u', sessionId: 's' }, 0)
    assert.deepEqual(JSON.parse(String(values[3])), { clientId: 'c', userId: 'u', sessionId: 's' })
  })
})
