/** Limits by network address: security catalogue 4.5; rows J32, K08, K13, O24. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { networkOf } from '../../src/limits/addresses.ts'
import { type Guessed, takeBoth } from '../../src/limits/guesses.ts'
import type { Storage } from '../../src/storage/port.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { onBothEngines } from '../directory/engines.ts'
import { begin, bodyOf, newPassword, newPerson, offeringOf, rows } from '../flow-runtime/arrange.ts'
import { Browser, piFlowRequest, pkce, signOn } from '../harness/sign-on.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'

suite('what an address stands for', () => {
  const networks = [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
    ['2001:db8:a:b:c::', '2001:db8:a:b::/64'],
  ] as const
  for (const [address, network] of networks) {
    test(`${address} stands for ${network}`, () => assert.equal(networkOf(address), network))
  }
})

await onBothEngines('limits of address and user', (nodes) => {
  const now = 1_700_000_000_000
  const counter = (kind: Guessed['kind'], guesses: number) => ({
    guessed: { environmentId: 'e', kind, subject: randomUUID() },
    bound: { guesses, seconds: 300 },
  })

  test('K08: of 60 users tried at once from one address, on all nodes, exactly the bound is tried', async () => {
    const address = counter('address-password', 7)
    const users = Array.from({ length: 60 }, () => counter('password', 5))
    const taken = await Promise.all(
      users.map((user, at) => (nodes[at % nodes.length] as Storage).commit(takeBoth(address, user, now))),
    )
    assert.equal(taken.filter((guesses) => guesses.length === 2 && guesses.every(({ allowed }) => allowed)).length, 7)
    const counted = await (nodes[0] as Storage).read({
      text: `SELECT subject FROM limits WHERE environment_id = 'e' AND kind = 'password'
             AND subject IN (${users.map((_, at) => `$${at + 1}`).join(', ')})`,
      values: users.map(({ guessed }) => guessed.subject),
    })
    assert.equal(counted.length, 7, 'whom the address may not try is not counted at either')
  })
})

interface Flow {
  readonly id: string
  readonly state: string
  readonly created_at: number
  readonly expires_at: number
}

suite('limits by network address', () => {
  let stile: Stile
  let world: TestWorld
  let clientId: string
  let names: { login: string; first: string }
  before(async () => {
    world = testWorld()
    stile = await startStile({
      world,
      environment: {
        STILE_TRUSTED_PROXIES: '127.0.0.1',
        STILE_ADDRESS_LIMIT_PASSWORD: '5/300',
        STILE_ADDRESS_LIMIT_ACCOUNT: '3/600',
        STILE_ADDRESS_LIMIT_LOOKUP: '4/60',
        STILE_ADDRESS_LIMIT_FLOW: '100/60',
      },
    })
    const { clients, login, identifierFirst } = await offeringOf(stile)
    clientId = clients['pi.flow']
    names = { login, first: identifierFirst }
  })
  after(() => stile.close())

  let next = 0
  /** An address that nobody has come from. */
  const address = () => `198.51.100.${(next += 1)}`
  const from = (remote: string) => ({ 'x-forwarded-for': remote })
  async function flow(policy = names.login) {
    const browser = new Browser(stile)
    return { browser, flowId: await begin(browser, 'pi.flow', { client_id: clientId, acr_values: policy }) }
  }
  async function tryPassword(remote: string, username: string, password: string): Promise<Answer> {
    const { browser, flowId } = await flow()
    return browser.act(flowId, 'usernamePassword.check', { username, password }, from(remote))
  }
  async function pass(seconds: number): Promise<void> {
    world.advance(seconds * 1000)
    await stile.node.kernel.environments.poll()
  }
  function assertLimited(answer: Answer, most: number): void {
    assert.equal(answer.status, 429, answer.text)
    assert.deepEqual([answer.json.code, answer.json.details[0].code], ['REQUEST_LIMITED', 'LIMIT_EXCEEDED'])
    const wait = Number(answer.headers.get('retry-after'))
    assert.ok(wait > 0 && wait <= most, `retry-after ${wait}`)
  }

  test('K08: one password at many users is stopped, whether they exist or not; nobody is locked by that', async () => {
    const remote = address()
    const people = await Promise.all(Array.from({ length: 4 }, () => newPerson(stile)))
    for (const { username } of [...people, { username: 'nobody' }]) {
      assert.equal((await tryPassword(remote, username, 'Wrong-Horse-1')).status, 400)
    }
    const victim = await newPerson(stile)
    for (const username of [victim.username, 'nobody-else']) {
      assertLimited(await tryPassword(remote, username, victim.password), 300)
    }
    assert.deepEqual(await rows(stile, 'limits', 'subject = $2', victim.id), [])
    assert.equal((await tryPassword(address(), victim.username, victim.password)).json.status, 'COMPLETED')
    await pass(301)
    assert.equal((await tryPassword(remote, victim.username, victim.password)).json.status, 'COMPLETED')
  })

  test('K08: of thirty at once, five are tried; a right password costs nothing', async () => {
    const remote = address()
    const person = await newPerson(stile)
    for (let count = 0; count < 8; count += 1) {
      assert.equal((await tryPassword(remote, person.username, person.password)).json.status, 'COMPLETED')
    }
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) => tryPassword(remote, `nobody-${at}`, 'Wrong-Horse-1')),
    )
    assert.equal(answers.filter(({ status }) => status === 400).length, 5)
    for (const answer of answers.filter(({ status }) => status !== 400)) assertLimited(answer, 300)
  })

  test('one IPv6 network is one address, another is another', async () => {
    for (let at = 0; at < 5; at += 1) {
      assert.equal((await tryPassword(`2001:db8:1:1::${at + 1}`, `nobody-${at}`, 'Wrong-Horse-1')).status, 400)
    }
    assertLimited(await tryPassword('2001:db8:1:1:ffff::9', 'nobody', 'Wrong-Horse-1'), 300)
    assert.equal((await tryPassword('2001:db8:1:2::1', 'nobody', 'Wrong-Horse-1')).status, 400)
  })

  test('K13: registrations, and codes that are asked for, are counted together; a refused one counts too', async () => {
    const remote = address()
    const person = await newPerson(stile)
    const register = async (username: string) => {
      const { browser, flowId } = await flow()
      const body = { username, email: `${username}@example.com`, password: newPassword() }
      return browser.act(flowId, 'user.register', body, from(remote))
    }
    const forgot = async (username: string) => {
      const { browser, flowId } = await flow()
      return browser.act(flowId, 'password.forgot', { username }, from(remote))
    }
    assert.equal((await register(person.username)).status, 400)
    assert.equal((await register(`new-${randomUUID()}`)).json.status, 'VERIFICATION_CODE_REQUIRED')
    assert.equal((await forgot(person.username)).json.status, 'RECOVERY_CODE_REQUIRED')
    const unborn = `new-${randomUUID()}`
    assertLimited(await register(unborn), 600)
    assertLimited(await forgot(person.username), 600)
    assertLimited(await forgot('nobody'), 600)
    assert.deepEqual(await rows(stile, 'users', 'username_key = $2', unborn), [])
    await pass(601)
    assert.equal((await register(unborn)).json.status, 'VERIFICATION_CODE_REQUIRED')
  })

  test('lookups are counted in the commit that saves them; beyond the bound the flow stays as it was', async () => {
    const remote = address()
    const person = await newPerson(stile)
    const lookUp = async (username: string) => {
      const { browser, flowId } = await flow(names.first)
      return { browser, flowId, answer: await browser.act(flowId, 'user.lookup', { username }, from(remote)) }
    }
    for (let at = 0; at < 3; at += 1) assert.equal((await lookUp(`nobody-${at}`)).answer.status, 200)
    const { storage } = stile.node.kernel
    const { browser, flowId } = await flow(names.first)
    const before = storage.counts().commits
    const body = bodyOf('user.lookup', person)
    assert.equal((await browser.act(flowId, 'user.lookup', body, from(remote))).json.status, 'PASSWORD_REQUIRED')
    assert.ok(storage.counts().commits - before <= 2)
    const limited = await lookUp(person.username)
    assertLimited(limited.answer, 60)
    const shown = await limited.browser.send(`/${stile.environmentId}/flows/${limited.flowId}`)
    assert.equal(shown.json.status, 'SIGN_ON_REQUIRED')
  })

  test('J32: flows that nobody goes on with are refused before storage grows; a session that answers begins none', async () => {
    const remote = address()
    const { webApp, environmentId } = stile
    const inJson = piFlowRequest(stile, pkce().challenge)
    const byPage = {
      client_id: webApp.clientId,
      redirect_uri: webApp.redirectUri,
      response_type: 'code',
      scope: 'openid',
    }
    const ask = (parameters: Readonly<Record<string, string>>, browser = new Browser(stile), by = remote) =>
      browser.send(`/${environmentId}/as/authorize?${new URLSearchParams(parameters)}`, { headers: from(by) })
    const known = new Set((await rows<Flow>(stile, 'flows')).map(({ id }) => id))
    const answers = await Promise.all(Array.from({ length: 150 }, (_, at) => ask(at % 2 === 0 ? inJson : byPage)))
    const begun = (await rows<Flow>(stile, 'flows')).filter(({ id }) => !known.has(id))
    assert.equal(begun.length, 100)
    for (const { state, created_at, expires_at } of begun) {
      assert.ok(state.length < 2048, `${state.length} bytes`)
      assert.equal(expires_at - created_at, 900_000)
    }
    const isLimited = ({ status, headers }: Answer) =>
      status === 429 || /[?&]error=temporarily_unavailable/.test(headers.get('location') ?? '')
    assert.equal(answers.filter(isLimited).length, 50)
    assertLimited(await ask(inJson), 60)
    const device = await stile.send(`/${environmentId}/device`, { headers: { ...from(remote), accept: 'text/html' } })
    assert.equal(device.status, 429)
    const browser = new Browser(stile)
    await signOn(browser)
    assert.equal((await ask(inJson, browser)).json.status, 'COMPLETED')
    assert.equal((await ask(inJson, new Browser(stile), address())).status, 200)
    await pass(61)
    assert.equal((await ask(inJson)).status, 200)
  })

  test('a sign-on with a right password costs no commit more', async () => {
    const { storage } = stile.node.kernel
    let least = Number.POSITIVE_INFINITY
    for (let run = 0; run < 8; run += 1) {
      const before = storage.counts().commits
      await signOn(new Browser(stile))
      least = Math.min(least, storage.counts().commits - before)
    }
    assert.equal(least, 4)
  })

  test('the sign-on page says it in words, with the same status and header', async () => {
    const remote = address()
    for (let at = 0; at < 5; at += 1) await tryPassword(remote, `nobody-${at}`, 'Wrong-Horse-1')
    const browser = new Browser(stile)
    const flowId = await begin(browser, 'redirect')
    const answer = await browser.send(`/${stile.environmentId}/signon/?flowId=${flowId}`, {
      body: new URLSearchParams({ action: 'usernamePassword.check', username: 'nobody', password: 'Wrong-Horse-1' }),
      headers: { ...from(remote), origin: stile.authUrl },
    })
    assert.equal(answer.status, 429)
    assert.match(answer.text, /Too many tries/)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
  })

  test('O24, K08: a header that no trusted proxy sent changes nothing; off means off', async () => {
    const untrusting = await startStile({ environment: { STILE_ADDRESS_LIMIT_PASSWORD: '2/300' } })
    try {
      const statuses: number[] = []
      for (let at = 0; at < 4; at += 1) {
        const browser = new Browser(untrusting)
        const flowId = await begin(browser)
        const body = { username: `nobody-${at}`, password: 'Wrong-Horse-1' }
        statuses.push((await browser.act(flowId, 'usernamePassword.check', body, from(`203.0.113.${at}`))).status)
      }
      assert.deepEqual(statuses, [400, 400, 429, 429])
      assert.deepEqual(await rows(untrusting, 'limits', 'kind = $2', 'address-account'), [])
    } finally {
      await untrusting.close()
    }
  })
})
