/** `stile serve` as a process: what it refuses to start without, health, the first administrator, and that no secret is written (N36, R26). */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { basic } from '../harness/stile.ts'
import { type Running, runStile } from '../harness/process.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('without settings it says everything that is missing and exits with 78', async () => {
  const { code, stderr, stdout } = await runStile(['serve']).finished
  assert.equal(code, 78)
  assert.equal(stdout, '')
  assert.match(stderr, /STILE_PUBLIC_URL is missing/)
  assert.match(stderr, /STILE_MASTER_KEY is missing/)
})

test('a master key that is none is refused without being quoted', async () => {
  const { code, stderr } = await runStile(['serve'], {
    STILE_PUBLIC_URL: 'https://id.example.com',
    STILE_MASTER_KEY: 'CANARY-short',
  }).finished
  assert.equal(code, 78)
  assert.match(stderr, /STILE_MASTER_KEY/)
  assert.doesNotMatch(stderr, /CANARY/)
})

test('a public URL that is no origin is refused', async () => {
  const { code, stderr } = await runStile(['serve'], { STILE_PUBLIC_URL: 'https://id.example.com/path' }).finished
  assert.equal(code, 78)
  assert.match(stderr, /STILE_PUBLIC_URL must be an origin/)
})

suite('a production node', () => {
  const clientId = randomUUID()
  const clientSecret = `CANARY-${randomBytes(32).toString('base64url')}`
  let directory: string
  let start: () => Running
  let running: Running
  let port: number
  let managementPort: number

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-serve-'))
    port = await freePort()
    managementPort = await freePort()
    start = () => runStile(['serve', '--data', directory, '--port', String(port)], settings)
    const settings = {
      STILE_HOST: '127.0.0.1',
      STILE_PUBLIC_URL: `http://127.0.0.1:${port}`,
      STILE_MASTER_KEY: randomBytes(32).toString('base64url'),
      STILE_MANAGEMENT_PORT: String(managementPort),
      STILE_BOOTSTRAP_ADMIN_CLIENT_ID: clientId,
      STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET: clientSecret,
    }
    running = start()
    await running.firstLine
    for (let attempt = 0; attempt < 100; attempt++) {
      const answer = await token()
      if (answer.status === 200) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.fail('the administrator got no token')
  })
  after(async () => {
    await running.stop('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  function token(): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}/as/token`, {
      method: 'POST',
      headers: { authorization: basic(clientId, clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  }

  test('live, started and ready', async () => {
    for (const path of ['live', 'started', 'ready']) {
      const answer = await fetch(`http://127.0.0.1:${managementPort}/health/${path}`)
      assert.deepEqual([path, answer.status], [path, 200])
    }
  })

  test('the first administrator administers', async () => {
    const { access_token } = (await (await token()).json()) as { access_token: string }
    const answer = await fetch(`http://127.0.0.1:${port}/v1/environments`, {
      headers: { authorization: `Bearer ${access_token}` },
    })
    const { _embedded } = (await answer.json()) as { _embedded: { environments: { name: string }[] } }
    assert.deepEqual(
      _embedded.environments.map(({ name }) => name),
      ['Administrators'],
    )
  })

  test('the demo application does not exist', async () => {
    for (const path of [`/dev/app/${clientId}`, '/dev/inbox', '/dev/inbox.json']) {
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path)
    }
  })

  test('it ends gracefully and has written no secret', async () => {
    const { code, stdout, stderr } = await running.stop()
    assert.equal(code, 0)
    assert.doesNotMatch(stdout + stderr, /CANARY/)
    assert.ok(!(await readdir(directory)).includes('quickstart.json'))
  })

  test('R31: where a database was, no new one is begun, and no administrator made', async () => {
    const path = join(directory, 'stile.db')
    await truncate(path, 0)
    const { code, stderr } = await start().finished
    assert.equal(code, 69)
    assert.match(
      stderr,
      /^stile: The integrity check failed: stile\.db is empty, and it was not\. .*rm -f .* && cp .*\n$/,
    )
    assert.equal((await stat(path)).size, 0)
  })
})
