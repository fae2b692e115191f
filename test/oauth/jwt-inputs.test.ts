/**
 * Every JWT that comes from outside meets the same matrix: rows F01 to F09, F13 and L13 of the security catalogue, RFC 8725.
 * Each place (jwt-places-*.ts) takes a good one, refuses every forgery of it (jwt-forgeries.ts) and every other kind by its own
 * documented error, and still takes the good one: what was refused changed nothing, and used nothing up.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { signLogoutToken } from '../../src/delivery/logout-token.ts'
import { resolveSite } from '../../src/site.ts'
import { type EnvironmentTable, environmentTables } from '../../src/storage/sql/deletion.ts'
import { inboxOf, rows } from '../flow-runtime/arrange.ts'
import { Browser } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { sources } from '../sources.ts'
import { codeRequest, obtainCode, redeemCode } from './journeys.ts'
import { type JwtBench, startJwtBench } from './jwt-bench.ts'
import { forgeriesOf } from './jwt-forgeries.ts'
import { outcomeOf } from './jwt-place.ts'
import { clientJwtPlaces } from './jwt-places-client.ts'
import { ownTokenPlaces } from './jwt-places-own.ts'
import { proofPlaces } from './jwt-places-proofs.ts'
import { readers, readsJwts } from './jwt-readers.ts'
import { expectStatus, person, register } from './registrations.ts'

const bench: JwtBench = await startJwtBench()
const places = [...ownTokenPlaces(bench), ...clientJwtPlaces(bench), ...proofPlaces(bench)]

/** What requests leave behind that were refused: who has asked, how often, and the flow in which somebody may try again. */
const traces: readonly EnvironmentTable[] = ['events', 'limits', 'used_jwts', 'flows', 'external_authentications']

/** A JWT of the client that was read as a request, in which there is none. */
const emptyRequest = /^(302|400) invalid_(request|scope)$/

suite('JWTs from outside', () => {
  after(() => bench.close())
  const kinds = new Map<string, string>()

  before(async () => {
    for (const { kind, make, attempt } of places) if (!attempt && !kinds.has(kind)) kinds.set(kind, await make())
    for (const [kind, text] of Object.entries(await otherKinds())) kinds.set(kind, text)
  })

  /** What nobody takes. */
  async function otherKinds(): Promise<Record<string, string>> {
    const { stile, app, environment, upstream, at } = bench
    const { sub: userId = '', sid } = decodeJwt((await bench.tokens('openid')).id_token)
    const { environments, world, origins } = stile.node.kernel
    const application = (await environments.application(stile.environmentId, app.clientId)) ?? assert.fail()
    const notice = { clientId: app.clientId, userId, sessionId: String(sid) }
    const site = resolveSite(origins, environment)
    const accept = { accept: 'application/token-introspection+jwt' }
    const token = kinds.get('access token') ?? assert.fail()
    const elsewhere = await bench.elsewhere()
    const foreign = await register(elsewhere)
    const code = await obtainCode(new Browser(elsewhere), codeRequest(foreign), await person(elsewhere))
    const tokens = expectStatus(await redeemCode(elsewhere, foreign, code), 200)
    return {
      'logout token': await signLogoutToken(environment, site, application, notice, world.uuid(), world.now()),
      'introspection response': (await bench.asApp('introspect', { token }, accept)).text,
      'access token of another environment': tokens.access_token,
      'ID token of another environment': tokens.id_token,
      'ID token of a provider': upstream.sign({
        iss: upstream.issuer,
        sub: bench.subject,
        aud: 'stile',
        exp: at() + 60,
      }),
    }
  }

  async function state(): Promise<Readonly<Record<string, string>>> {
    const kept: Record<string, string> = {}
    for (const table of Object.keys(environmentTables) as EnvironmentTable[]) {
      if (!traces.includes(table)) kept[table] = JSON.stringify(await rows(bench.stile, table))
    }
    return kept
  }

  for (const place of places) {
    test(`${place.name}: ${place.kind}`, async () => {
      const present = (jwt: string, good: string) => place.attempt?.(() => jwt) ?? place.send(jwt, good)
      const taken = (answer: Answer, what: string) =>
        assert.ok(place.isTaken(answer), `${what}: ${answer.status} ${answer.headers.get('location')} ${answer.text}`)
      let sample = await place.make()
      const first = place.attempt
        ? await place.attempt((good) => {
            sample = good
            return good
          })
        : await place.send(sample, sample)
      taken(first, 'before')

      const good = place.attempt ? sample : await place.make()
      const { signer, audience } = place
      const forgeries = forgeriesOf({ good, signer, audience, evilUrl: bench.evil.url, now: bench.at() })
      const wrong: string[] = []
      // What the first one brought about is sent.
      await inboxOf(bench.stile, 'nobody')
      const before = await state()
      for (const { name, text, again } of forgeries) {
        if (place.goodHere.some(([which]) => which.test(name))) continue
        const answer = await (place.attempt?.(again) ?? place.send(text, good))
        const isTooLong = text.length > 10_000 && [400, 413, 414, 431].includes(answer.status)
        if (isTooLong && !place.isTaken(answer)) continue
        if (place.isTaken(answer) || !place.refusal.test(outcomeOf(answer))) wrong.push(`${name}: ${outcomeOf(answer)}`)
      }
      for (const [kind, text] of kinds) {
        if (kind === place.kind || place.takes?.includes(kind)) continue
        const answer = await present(text, good)
        const isRefused = [place.refusal, emptyRequest].some((refusal) => refusal.test(outcomeOf(answer)))
        if (place.isTaken(answer) || !isRefused) wrong.push(`a ${kind}: ${outcomeOf(answer)}`)
      }
      assert.deepEqual(wrong, [])
      assert.deepEqual(await state(), before)
      taken(await (place.attempt?.((each) => each) ?? place.send(good, good)), 'after')
    })
  }

  test('no place is missing: whatever reads JWTs in src/ is on the way to one of these', () => {
    const found = [...sources].filter(([, { code }]) => readsJwts.test(code)).map(([path]) => path)
    assert.deepEqual(Object.keys(readers).toSorted(), found)
    const named = new Set(Object.values(readers).flat())
    assert.deepEqual([...named].toSorted(), places.map(({ name }) => name).toSorted())
  })

  test('F04: nothing was asked of an address in a header', () => {
    assert.deepEqual(bench.evil.received, [])
  })
})
