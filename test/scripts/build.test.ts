/** `npm run build`: what is published runs without the sources, with nothing but its own dependencies beside it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { type Quickstart, quickstartSchema } from '../../src/dev/quickstart.ts'
import { type Running, runStile } from '../harness/process.ts'
import { basic } from '../harness/stile.ts'

const root = join(import.meta.dirname, '..', '..')

suite('the bundle', () => {
  let directory: string
  let bundle: string
  let running: Running
  let facts: Quickstart

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stile-bundle-'))
    bundle = join(directory, 'node_modules', 'stile')
    await promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.ts'), bundle], { cwd: directory })
    const { dependencies } = JSON.parse(await readFile(join(bundle, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    for (const name of Object.keys(dependencies)) {
      const scope = name.split('/')[0] as string
      await mkdir(join(directory, 'node_modules'), { recursive: true })
      await symlink(join(root, 'node_modules', scope), join(directory, 'node_modules', scope))
    }
    const args = ['dev', '--data', join(directory, 'data'), '--port', '0', '--json']
    running = runStile(args, {}, directory, join(bundle, 'main.js'))
    facts = quickstartSchema.parse(JSON.parse(await running.firstLine))
  })
  after(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('says what it is, and what of others it holds', async () => {
    const manifest = JSON.parse(await readFile(join(bundle, 'package.json'), 'utf8')) as Record<string, unknown>
    const sources = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
    for (const member of ['name', 'version', 'license', 'engines'])
      assert.deepEqual(manifest[member], sources[member], member)
    assert.deepEqual(manifest['bin'], { stile: 'main.js' })
    const licences = await readFile(join(bundle, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
    for (const name of ['fastify', 'zod', 'pg', 'pino']) assert.match(licences, new RegExp(`^${name} \\d`, 'm'))
  })

  test('W13: holds no source, no map of one, and no word that opens a debugger', async () => {
    const files = await readdir(bundle, { recursive: true })
    assert.ok(files.length > 5)
    assert.deepEqual(
      files.filter((file) => /\.(map|ts|mts)$|^(test|src|bench|\.env)/.test(file)),
      [],
    )
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const code = await readFile(join(bundle, file), 'utf8')
      assert.doesNotMatch(code, /^\/\/# source(MappingURL|URL)=|--inspect\b/m, file)
      assert.doesNotMatch(code, /node:inspector['"]|testWorld\(/, file)
    }
  })

  test('prints its help', async () => {
    const { code, stdout } = await runStile(['--help'], { NO_COLOR: '1' }, directory, join(bundle, 'main.js')).finished
    assert.equal(code, 0)
    assert.match(stdout, /serve\s+Run a production node/)
  })

  test('issues a token that reads environments', async () => {
    const { access_token } = (await fetch(`${facts.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic(facts.worker.clientId, facts.worker.clientSecret) },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    }).then((answer) => answer.json())) as { readonly access_token: string }
    const headers = { authorization: `Bearer ${access_token}` }
    assert.equal((await fetch(`${facts.apiUrl}/v1/environments`, { headers })).status, 200)
  })

  test('signs the demo user on, by its hashing thread', async () => {
    const { clientId } = facts.nativeApp
    const query = { client_id: clientId, response_type: 'code', response_mode: 'pi.flow', scope: 'openid' }
    const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
    const flow = (await fetch(`${facts.issuer}/authorize?${new URLSearchParams({ ...query, ...pkce })}`).then(
      (answer) => answer.json(),
    )) as { readonly _links: Readonly<Record<string, { readonly href: string }>> }
    const { username, password } = facts.user
    const checked = await fetch(flow._links['usernamePassword.check']?.href ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.pingidentity.usernamePassword.check+json' },
      body: JSON.stringify({ username, password }),
    })
    assert.equal(((await checked.json()) as { readonly status: string }).status, 'COMPLETED')
  })
})
