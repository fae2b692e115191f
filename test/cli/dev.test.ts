/** `stile dev`, `stile token`, `stile migrate` as processes: what they print, write, and leave behind (experience.md, "First run"). */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { basic } from '../harness/stile.ts'
import { type Running, runStile } from '../harness/process.ts'

suite('stile dev', () => {
  let directory: string
  let data: string
  let running: Running
  let facts: Quickstart

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-cli-'))
    data = join(directory, '.stile')
    running = runStile(['dev', '--data', data, '--port', '0', '--json'])
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('--json prints the facts as one line, and quickstart.json holds the same, for its owner only', async () => {
    const path = join(data, 'quickstart.json')
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), facts)
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await stat(join(data, 'master.key'))).mode & 0o777, 0o600)
    assert.equal((await stat(data)).mode & 0o777, 0o700)
  })

  test('the worker gets a token and reads environments with it', async () => {
    const token = await fetch(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic(facts.worker.clientId, facts.worker.clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    }).then((answer) => answer.json() as Promise<{ access_token: string }>)
    const answer = await fetch(`${facts.apiUrl}/v1/environments`, {
      headers: { authorization: `Bearer ${token.access_token}` },
    })
    assert.equal(answer.status, 200)
  })

  test('stile token prints a token that works', async () => {
    const { code, stdout } = await runStile(['token', '--data', data]).finished
    assert.equal(code, 0)
    const answer = await fetch(`${facts.apiUrl}/v1/environments`, {
      headers: { authorization: `Bearer ${stdout.trim()}` },
    })
    assert.equal(answer.status, 200)
  })

  test('a second process on the same directory is refused with a sentence', async () => {
    const { code, stderr } = await runStile(['dev', '--data', data, '--port', '0']).finished
    assert.equal(code, 69)
    assert.match(stderr, /^stile: .*\.stile.*\n$/)
    assert.doesNotMatch(stderr, /at .*\.ts:/)
  })

  test('a port that is taken is refused with a sentence', async () => {
    const port = new URL(facts.authUrl).port
    const { code, stderr } = await runStile(['dev', '--data', join(directory, 'other'), '--port', port]).finished
    assert.equal(code, 69)
    assert.match(stderr, /--port/)
  })

  test('it ends when asked to, and starts again with the same facts on another port', async () => {
    const { code, stderr } = await running.stop()
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    running = runStile(['dev', '--data', data, '--port', '0', '--json'])
    const again = quickstartSchema.parse(JSON.parse(await running.firstLine))
    assert.deepEqual(again.worker, facts.worker)
    assert.deepEqual(again.user, facts.user)
    assert.equal(again.environmentId, facts.environmentId)
    assert.ok(again.singlePageApp.redirectUri.startsWith(again.authUrl), 'redirect URIs follow the port')
    const authorize = new URL(`${again.issuer}/authorize`)
    authorize.search = new URLSearchParams({
      client_id: again.webApp.clientId,
      redirect_uri: again.webApp.redirectUri,
      response_type: 'code',
      scope: 'openid',
    }).toString()
    const answer = await fetch(authorize, { redirect: 'manual' })
    assert.equal(answer.status, 302)
    assert.match(answer.headers.get('location') ?? '', /\/signon\/\?flowId=/)
    facts = again
  })

  test('without quickstart.json the demo user gets a new password, and everything else stays', async () => {
    await running.stop()
    await rm(join(data, 'quickstart.json'))
    running = runStile(['dev', '--data', data, '--port', '0', '--json'])
    const again = quickstartSchema.parse(JSON.parse(await running.firstLine))
    assert.deepEqual(again.worker, facts.worker)
    assert.equal(again.user.id, facts.user.id)
    assert.notEqual(again.user.password, facts.user.password)
  })
})

test('stile token without a dev server says what to do', async () => {
  const { code, stderr } = await runStile(['token', '--data', '/nonexistent']).finished
  assert.equal(code, 69)
  assert.match(stderr, /npm start/)
})

test('stile migrate makes the database and ends', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stile-cli-'))
  try {
    for (const _ of [1, 2]) {
      const { code, stdout, stderr } = await runStile(['migrate', '--data', directory, '--json']).finished
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(stdout), { migrated: true, engine: 'sqlite' })
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
