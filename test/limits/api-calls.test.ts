/** How often one caller calls the management API: security catalogue 4.5, row N33. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { Problem } from '../../src/errors/problem.ts'
import { openApiCalls } from '../../src/limits/api-calls.ts'
import { testWorld } from '../../src/world.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { userToken } from '../platform/people.ts'
import { workerWith } from '../platform/worker.ts'

suite('N33: calls of the management API', () => {
  const world = testWorld()
  let stile: Stile
  before(async () => {
    stile = await startStile({ world, environment: { STILE_API_LIMIT: '40/10' } })
  })
  after(() => stile.close())

  const isLimited = (error: unknown) => error instanceof Problem && error.key === 'LIMITED'

  test('one too many is 429 with Retry-After, whatever the path, address or token; others go on', async () => {
    const worker = await workerWith(stile, `Worker ${randomUUID()}`, 'Configuration Read Only')
    const { json } = await stile.api('GET', `/applications/${worker.id}/secret`)
    const second = await stile.send(`/${stile.environmentId}/as/token`, {
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: worker.id }),
      headers: { authorization: `Basic ${btoa(`${worker.id}:${json.secret}`)}` },
    })
    const tokens = [worker.token, second.json.access_token as string]
    assert.notEqual(tokens[0], tokens[1])
    const spellings = ['/applications', '/applications?limit=1', '/resources', '/%61pplications', '/nowhere']
    const call = (at: number) =>
      stile.api('GET', spellings[at % spellings.length] ?? '', undefined, {
        token: tokens[at % 2] ?? null,
        headers: { 'x-forwarded-for': `198.51.100.${at}` },
      })
    // Where there is no operation nothing is asked of anybody, and nothing counted.
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => call(at)))
    const statuses = answers.map(({ status }) => status)
    assert.deepEqual(
      [200, 404, 429].map((status) => statuses.filter((one) => one === status).length),
      [40, 12, 8],
    )
    const refused = answers.find(({ status }) => status === 429)
    assert.deepEqual([refused?.json.code, refused?.json.details[0].code], ['REQUEST_LIMITED', 'LIMIT_EXCEEDED'])
    assert.equal(refused?.headers.get('retry-after'), '10')
    const user = await userToken(stile, stile.user.id, 'p1:read:user')
    assert.equal((await stile.api('GET', `/users/${stile.user.id}`, undefined, { token: user })).status, 200)
    world.advance(10_000)
    await stile.node.kernel.environments.poll()
    assert.equal((await call(0)).status, 200)
  })

  test('a user is one caller by whatever application; nobody is no caller; no more are remembered than ten thousand', () => {
    const calls = openApiCalls({ guesses: 2, seconds: 10 })
    const user = (userId: string) => ({ kind: 'user', environmentId: 'e', userId }) as const
    calls.count(user('u'), 0)
    calls.count({ kind: 'application', environmentId: 'e', clientId: 'c' }, 0)
    calls.count(user('u'), 0)
    assert.throws(() => calls.count(user('u'), 9_999), isLimited)
    calls.count(user('u'), 10_000)
    calls.count({ kind: 'user', environmentId: 'other', userId: 'u' }, 10_000)
    for (let count = 0; count < 100; count++) calls.count({ kind: 'anonymous' }, 0)
    for (let at = 0; at < 10_000; at++) calls.count(user(`u${at}`), 20_000)
    calls.count(user('u0'), 20_000)
    assert.throws(() => calls.count(user('u0'), 20_000), isLimited)
    calls.count(user('one more'), 20_000)
    calls.count(user('u0'), 20_000)
    const unlimited = openApiCalls(undefined)
    for (let count = 0; count < 100; count++) unlimited.count(user('u'), 0)
  })
})
