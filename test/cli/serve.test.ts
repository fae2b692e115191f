/**
 * `stile serve` as a process: what it refuses to start without, health, the first administrator, and that no secret
 * is written or shown (N36, O16, O30, R26, W10, W11, W13, W14, W16).
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { text as readText } from 'node:stream/consumers'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { basic } from '../harness/stile.ts'
import { converse, head } from '../http/wire.ts'
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

test('O30: a rejection that nobody waits for is logged and ends nothing; an exception that nobody caught ends the process', async () => {
  const survives = new URL('../../src/cli/unhandled-rejections.ts', import.meta.url)
  const after = async (failure: string) => {
    const script = `import { surviveUnhandledRejections } from '${survives}'
      surviveUnhandledRejections({ error: ({ err }, text) => console.log(text, err.message) })
      setTimeout(() => ${failure})
      setTimeout(() => console.log('alive'), 50)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [said, [code]] = await Promise.all([readText(child.stdout), once(child, 'close')])
    return [said, code]
  }
  assert.deepEqual(await after(`Promise.reject(new Error('defect'))`), ['unhandled rejection defect\nalive\n', 0])
  assert.deepEqual(await after(`{ throw new Error('defect') }`), ['', 1])
})

/** Few enough to use them up. */
const openFiles = 400

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
    // Secrets come from files, so that the process shows none.
    const masterKeyFile = join(directory, 'master-key')
    const secretFile = join(directory, 'bootstrap-secret')
    await writeFile(masterKeyFile, randomBytes(32).toString('base64url'))
    await writeFile(secretFile, clientSecret)
    start = () =>
      runStile(
        ['serve', '--data', join(directory, 'data'), '--port', String(port)],
        settings,
        undefined,
        undefined,
        openFiles,
      )
    const settings = {
      STILE_HOST: '127.0.0.1',
      STILE_PUBLIC_URL: `http://127.0.0.1:${port}`,
      STILE_MASTER_KEY_FILE: masterKeyFile,
      STILE_MANAGEMENT_PORT: String(managementPort),
      STILE_BOOTSTRAP_ADMIN_CLIENT_ID: clientId,
      STILE_BOOTSTRAP_ADMIN_CLIENT_SECRET_FILE: secretFile,
      STILE_LOG_LEVEL: 'debug',
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

  async function accessToken(): Promise<string> {
    return ((await (await token()).json()) as { access_token: string }).access_token
  }
  /** What the system shows of the process. */
  const shown = (file: 'cmdline' | 'environ') => readFile(`/proc/${running.process.pid}/${file}`, 'utf8')

  test('W11: live, started and ready, and not a word more', async () => {
    for (const path of ['live', 'started', 'ready']) {
      const answer = await fetch(`http://127.0.0.1:${managementPort}/health/${path}`)
      assert.deepEqual([path, answer.status, await answer.text()], [path, 200, '{"status":"UP"}'])
    }
    for (const path of [
      '/',
      '/metrics',
      '/health',
      '/debug',
      '/debug/pprof/',
      '/actuator/env',
      '/json/list',
      '/status',
    ])
      for (const at of [port, managementPort])
        assert.equal((await fetch(`http://127.0.0.1:${at}${path}`)).status, 404, `${at}${path}`)
  })

  test('the first administrator administers', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/environments`, {
      headers: { authorization: `Bearer ${await accessToken()}` },
    })
    const { _embedded } = (await answer.json()) as { _embedded: { environments: { name: string }[] } }
    assert.deepEqual(
      _embedded.environments.map(({ name }) => name),
      ['Administrators'],
    )
  })

  test('W13: the demo application does not exist, no header moves the clock, and nothing can be attached', async () => {
    for (const path of [`/dev/app/${clientId}`, '/dev/inbox', '/dev/inbox.json']) {
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path)
    }
    const headers = {
      'x-now': '0',
      'x-test-clock': '2000-01-01',
      'x-stile-now': '0',
      date: 'Sat, 01 Jan 2000 00:00:00 GMT',
    }
    const answer = await fetch(`http://127.0.0.1:${port}/v1/environments`, {
      headers: { ...headers, authorization: `Bearer ${await accessToken()}` },
    })
    assert.equal(answer.status, 200)
    assert.ok(Math.abs(Date.parse(answer.headers.get('date') ?? '') - Date.now()) < 60_000)
    if (process.platform === 'linux') assert.doesNotMatch(await shown('cmdline'), /--inspect/)
  })

  test('W14: no answer says what it was made by', async () => {
    for (const path of ['/', '/v1/environments', '/v1/openapi.json', `/${randomUUID()}/as/jwks`]) {
      const { headers } = await fetch(`http://127.0.0.1:${port}${path}`)
      for (const name of ['server', 'x-powered-by', 'via']) assert.equal(headers.get(name), null)
      assert.doesNotMatch(JSON.stringify([...headers]), /stile|fastify|node|\b\d+\.\d+\.\d+/i, path)
    }
  })

  test('W16: the process shows no secret to who can list processes', {
    skip: process.platform !== 'linux',
  }, async () => {
    for (const file of ['cmdline', 'environ'] as const) {
      const text = await shown(file)
      assert.match(text, /serve|STILE_PUBLIC_URL/)
      assert.ok(!text.includes(clientSecret) && !text.includes(await readFile(join(directory, 'master-key'), 'utf8')))
    }
    const { stdout } = await runStile(['serve', '--help'], { NO_COLOR: '1' }).finished
    assert.doesNotMatch(stdout, /--[\w-]*(secret|password|key|token)/i)
  })

  test('O16: more connections than files: the others are refused, health answers, and it recovers', {
    skip: process.platform !== 'linux',
  }, async () => {
    const sockets: Socket[] = []
    const open = () => sockets.filter(({ destroyed }) => !destroyed).length
    await Promise.all(
      Array.from({ length: openFiles * 2 }, () => {
        const socket = connect(port, '127.0.0.1')
        sockets.push(socket)
        socket.on('error', () => undefined)
        socket.resume()
        return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
      }),
    )
    for (let attempt = 0; open() > openFiles && attempt < 100; attempt++) await pause(20)
    assert.ok(open() >= 100 && open() < openFiles, `${open()} are held`)
    // By a connection of its own: one that stands already would say nothing.
    const { answers } = await converse(
      managementPort,
      head('GET /health/ready HTTP/1.1', 'Host: x', 'Connection: close'),
    )
    assert.equal(answers[0]?.status, 200)
    for (const socket of sockets) socket.destroy()
    for (let attempt = 0; attempt < 100; attempt++) {
      const status = await token().then(
        (answer) => answer.status,
        () => undefined,
      )
      if (status === 200) return
      await pause(20)
    }
    assert.fail('it does not take connections any more')
  })

  test('W10: what somebody writes into a request is no line of the log', async () => {
    const forged = '{"level":60,"msg":"FORGED"}'
    for (const path of [
      `/%0a${encodeURIComponent(forged)}`,
      `/${randomUUID()}/as/authorize?client_id=%0a%1b%5b31m${forged}`,
    ])
      await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { 'user-agent': `\t${forged}`, 'x-forwarded-for': forged },
      })
    await fetch(`http://127.0.0.1:${port}/as/token`, {
      method: 'POST',
      headers: { authorization: basic(`\n${forged}`, '\u001b[31mFORGED') },
      body: new URLSearchParams({ grant_type: `client_credentials\n${forged}`, username: `\n${forged}` }),
    })
  })

  test('it ends gracefully and has written no secret', async () => {
    const { code, stdout, stderr } = await running.stop()
    assert.equal(code, 0)
    assert.doesNotMatch(stdout + stderr, /CANARY/)
    const lines = stdout.trimEnd().split('\n')
    assert.ok(lines.length > 1)
    for (const line of lines) {
      const { level, msg } = JSON.parse(line) as { readonly level: number; readonly msg: string }
      assert.ok(level < 60 && !msg.includes('FORGED') && !/[\u0000-\u001f]/.test(line), line)
    }
    assert.ok(!(await readdir(join(directory, 'data'))).includes('quickstart.json'))
  })

  test('R31: where a database was, no new one is begun, and no administrator made', async () => {
    const path = join(directory, 'data', 'stile.db')
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
