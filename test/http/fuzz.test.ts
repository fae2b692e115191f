/**
 * Requests at random (row O26; catalogue 3.3): whatever is sent, the server answers, never by a 5xx, always in the shape of
 * its errors, and serves the next one. In dev mode, where an answer that its operation does not declare is a 500.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { allOperations } from '../../src/http/operations.ts'
import { Browser, piFlowRequest, pkce, userToken } from '../harness/sign-on.ts'
import { type Stile, startStile } from '../harness/stile.ts'
import { anyCharacter } from '../harness/any-character.ts'

const operations = await allOperations()

const count = 3000
const together = 16

/** A request before it knows the ids of the node it is sent to. */
interface Sketch {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly mediaType: string | undefined
  readonly body: string | Uint8Array | undefined
  readonly authorization: 'none' | 'worker' | 'user' | 'garbage'
  readonly headers: Readonly<Record<string, string>>
  readonly ids: readonly number[]
}

const paths = [...new Set(operations.flatMap(({ path, aliases = [] }) => [path, ...aliases]))]
/** What would delete or close what the other requests live on. */
const spared = /^\/v1\/environments\/\{environmentId\}$/
const mediaTypes = [...new Set(operations.flatMap((operation) => operation.mediaTypes ?? []))]
const members = [
  'id',
  'name',
  'username',
  'password',
  'value',
  'currentPassword',
  'newPassword',
  'enabled',
  'type',
  'scope',
  'role',
]
members.push(
  'population',
  'email',
  'priority',
  'actions',
  'condition',
  'redirectUris',
  'grantTypes',
  'protocol',
  'settings',
)
const text = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    'null',
    'true',
    '-1',
    '1e9',
    '\u0000',
    '\ud800',
    '../..',
    "' OR 1=1 --",
    '${user.id}',
    '%00',
    '[]',
    '__proto__',
  ),
)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('object'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...members), text), tie('value'), { maxKeys: 6 }),
}))
const parameters = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'prompt',
  'max_age',
]
parameters.push(
  'code',
  'grant_type',
  'code_challenge',
  'code_challenge_method',
  'flowId',
  'limit',
  'cursor',
  'filter',
  'expand',
  'include',
)
const words = fc.constantFrom(
  'code',
  'pi.flow',
  'form_post',
  'openid',
  'S256',
  'client_credentials',
  'authorization_code',
  'none',
  'x',
)
const form = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...parameters), text), fc.oneof(words, text)), { maxLength: 8 })
  .map((pairs) => pairs.map(([name, word]) => `${encode(name)}=${encode(word)}`).join('&'))

function encode(word: string): string {
  return encodeURIComponent(word.toWellFormed()).replaceAll('%20', '+')
}

const sketches: fc.Arbitrary<Sketch> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'),
  path: fc.constantFrom(...paths),
  query: fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: form },
    { weight: 1, arbitrary: fc.webQueryParameters() },
  ),
  mediaType: fc.oneof(
    fc.constantFrom('application/json', 'application/x-www-form-urlencoded', ...mediaTypes),
    fc.constantFrom(undefined, 'text/plain', 'application/json; charset=utf-16', 'x/y; q="', 'garbage'),
  ),
  body: fc.oneof(
    value.value.map((one) => JSON.stringify(one)),
    value.object.map((one) => JSON.stringify(one)),
    form,
    fc.uint8Array({ maxLength: 200 }),
    fc.constant(undefined),
  ),
  authorization: fc.constantFrom('none', 'worker', 'worker', 'worker', 'user', 'garbage'),
  headers: fc.dictionary(
    fc.constantFrom(
      'origin',
      'cookie',
      'accept',
      'accept-language',
      'sec-fetch-site',
      'x-forwarded-for',
      'range',
      'if-match',
      'user-agent',
    ),
    fc.string({ maxLength: 60 }).map((line) => line.replaceAll(/[^\x20-\x7e]/g, '')),
    { maxKeys: 3 },
  ),
  ids: fc.array(fc.nat(20), { minLength: 6, maxLength: 6 }),
})

suite('requests at random', () => {
  let stile: Stile
  let user: string
  let flowId: string
  before(async () => {
    stile = await startStile()
    user = await userToken(stile)
    flowId = (await new Browser(stile).authorize(piFlowRequest(stile, pkce().challenge))).json.id
  })
  after(() => stile.close())

  /** An id for a parameter: often one that is there, sometimes one that is not, or is none. */
  function idFor(name: string, dice: number): string {
    const known: Readonly<Record<string, string>> = {
      environmentId: stile.environmentId,
      organizationId: stile.organizationId,
      flowId,
      populationId: stile.populationId,
      applicationId: stile.webApp.clientId,
      userId: stile.user.id,
    }
    if (dice < 15 && known[name]) return known[name]
    return [
      '7f2f5ab0-6a38-4d9c-9c0e-3d0a3d5e2b10',
      '0',
      'me',
      encodeURIComponent('ä/\u0000'),
      'x'.repeat(150),
      '-',
      '%25',
    ][dice % 7] as string
  }

  async function send(
    sketch: Sketch,
  ): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers; readonly line: string }> {
    const used = [...sketch.ids]
    const path = sketch.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => idFor(name, used.shift() ?? 20))
    const bearer = { none: null, worker: await stile.workerToken(), user, garbage: 'a.b.c' }[sketch.authorization]
    const method = spared.test(sketch.path) && sketch.method === 'DELETE' ? 'GET' : sketch.method
    const hasBody = sketch.body !== undefined && method !== 'GET' && method !== 'HEAD'
    const line = `${method} ${path}${sketch.query === '' ? '' : `?${sketch.query}`}`
    const response = await fetch(`http://127.0.0.1:${stile.node.port}${line.slice(line.indexOf(' ') + 1)}`, {
      method,
      redirect: 'manual',
      headers: {
        ...sketch.headers,
        ...(sketch.mediaType && hasBody ? { 'content-type': sketch.mediaType } : {}),
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      },
      ...(hasBody ? { body: Buffer.from(sketch.body as string) } : {}),
    })
    return { status: response.status, text: await response.text(), headers: response.headers, line }
  }

  /** Bytes that are still held once the garbage is gone; how much room the process has taken is V8's affair. */
  function kept(): number {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  test(`O26: ${count} requests, none of them a 5xx`, async () => {
    const seed = Number(process.env['STILE_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
    const samples = fc.sample(sketches, { numRuns: count, seed })
    const before = kept()
    const statuses = new Map<number, number>()
    for (let at = 0; at < samples.length; at += together) {
      const batch = samples.slice(at, at + together)
      const answers = await Promise.all(batch.map((sketch) => send(sketch)))
      for (const [index, { status, text, headers, line }] of answers.entries()) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        const what = `${status} for ${line} ${JSON.stringify(batch[index])}: ${text} (STILE_FUZZ_SEED=${seed})`
        assert.ok(status < 500, what)
        assert.match(headers.get('correlation-id') ?? '', /^[0-9a-f-]{36}$/, what)
        // Links repeat the address of the request, which is random.
        const told = text.replaceAll(line.slice(line.indexOf(' ') + 1), '')
        assert.doesNotMatch(told, /node_modules|\.ts:\d|at async|SQLITE|SELECT |\bpg\b/, what)
        if (status < 400 || text === '' || headers.get('content-type')?.startsWith('text/html')) continue
        const { code, message, error, error_description: description } = JSON.parse(text)
        assert.ok(
          (typeof code === 'string' && typeof message === 'string') ||
            (typeof error === 'string' && typeof description === 'string'),
          what,
        )
      }
      if (at % (together * 20) === 0) assert.equal((await stile.send(`/${stile.environmentId}/as/jwks`)).status, 200)
    }
    // A fuzzer that never gets past the door tests the door alone.
    for (const wanted of [200, 400, 401, 404, 405, 415])
      assert.ok((statuses.get(wanted) ?? 0) > 5, `${wanted}: ${statuses.get(wanted)}`)
    const grown = (kept() - before) / 1_048_576
    assert.ok(grown < 50, `${grown} MiB`)
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })
})
