/**
 * The end of sessions, on both engines: who is promised what, however many end it at once (rows E08, E28, I14, I20); and
 * what a user with many sessions may cost.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type EndedSession, endSession, endSessionsOfUser } from '../../src/directory/session-end.ts'
import { defaultSettings } from '../../src/environment/settings.ts'
import { openFamily } from '../../src/oauth/token-family.ts'
import { type Columns, insertAll } from '../../src/storage/operations.ts'
import type { Storage } from '../../src/storage/port.ts'
import { realWorld } from '../../src/world.ts'
import { rowOf } from '../jobs/rows.ts'
import { onBothEngines } from './engines.ts'

const now = 1_800_000_000_000
const uuid = () => realWorld.uuid()

interface Application {
  readonly id: string
  readonly enabled?: 0 | 1
  readonly document?: object
}

await onBothEngines('the end of sessions', (nodes) => {
  const [first] = nodes as readonly [Storage]

  async function fill(table: string, filled: readonly Columns[]): Promise<void> {
    for (let at = 0; at < filled.length; at += 100) {
      const part = filled.slice(at, at + 100).map((row) => rowOf(table, row))
      await first.commit({ name: 'test.fill', run: () => insertAll(table, part) })
    }
  }

  /** An environment with applications, and sessions of one user in which they took part. */
  async function arrange(
    applications: readonly Application[],
    sessions: readonly { readonly id: string; readonly clients: readonly string[]; readonly token?: string }[],
  ) {
    const [environmentId, userId] = [uuid(), uuid()]
    const inside = { environment_id: environmentId, user_id: userId }
    await fill(
      'applications',
      applications.map(({ id, enabled = 1, document = {} }) => ({
        environment_id: environmentId,
        id,
        enabled,
        document: JSON.stringify(document),
      })),
    )
    await fill(
      'sessions',
      sessions.map(({ id, token = uuid() }) => ({ ...inside, id, token_hash: token, document: '{}' })),
    )
    const families = sessions.flatMap(({ id, clients }, at) =>
      clients.map((client_id) => ({
        ...inside,
        id: uuid(),
        client_id,
        session_id: id,
        scope: 'openid',
        created_at: now + at,
      })),
    )
    // What was issued to an application twice counts once.
    const twice = families.slice(0, 1).map((family) => ({ ...family, id: uuid() }))
    await fill(
      'token_families',
      [...families, ...twice].map((family) => ({ ...family, revoked_at: null as never })),
    )
    const promised = async () => {
      const text = `SELECT payload FROM outbox WHERE environment_id = $1 AND kind = 'logout.send'`
      const found = await first.read<{ readonly payload: string }>({ text, values: [environmentId] })
      return found.map(({ payload }) => JSON.parse(payload) as Record<string, string>)
    }
    const live = async () => {
      const text = 'SELECT id FROM token_families WHERE environment_id = $1 AND revoked_at IS NULL'
      return (await first.read({ text, values: [environmentId] })).length
    }
    return { environmentId, userId, promised, live }
  }

  const told = (more: object = {}) => ({ id: uuid(), document: { backchannelLogoutUri: 'https://app.test/', ...more } })
  const byId = (one: Record<string, string>, other: Record<string, string>) =>
    JSON.stringify(one) < JSON.stringify(other) ? -1 : 1

  test('of fifty that end a session at once, one does, and each application is promised to be told once', async () => {
    const [one, two, silent, absent, disabled] = [
      told(),
      told(),
      { id: uuid() },
      told(),
      { ...told(), enabled: 0 as const },
    ]
    const id = uuid()
    const other = { id: uuid(), clients: [one.id, absent.id] }
    const clients = [one.id, two.id, silent.id, disabled.id, uuid()]
    const { environmentId, userId, promised, live } = await arrange(
      [one, two, silent, absent, disabled],
      [{ id, clients }, other],
    )
    const ends = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        (nodes[at % nodes.length] ?? first).commit<EndedSession | undefined>({
          name: 'test.end',
          run: () => endSession(realWorld, { environmentId, id, ending: 'signed off', now }),
        }),
      ),
    )
    const ended = ends.filter((end) => end !== undefined)
    assert.equal(ended.length, 1)
    assert.equal(ended[0]?.userId, userId)
    assert.deepEqual(
      ended[0]?.participants.map((participant) => participant.id).toSorted(),
      [one.id, two.id, silent.id].toSorted(),
    )
    assert.deepEqual(
      (await promised()).toSorted(byId),
      [one, two].map((client) => ({ clientId: client.id, userId, sessionId: id })).toSorted(byId),
    )
    assert.equal(await live(), other.clients.length)
  })

  test('all sessions of a user: once where that is enough, else each of the newest fifty', async () => {
    const bySession = told({ backchannelLogoutSessionRequired: true })
    const byUser = told()
    const seldom = told()
    const sessions = Array.from({ length: 60 }, (_, at) => ({
      id: uuid(),
      clients: [bySession.id, byUser.id, ...(at === 0 ? [seldom.id] : [])],
    }))
    const { environmentId, userId, promised, live } = await arrange([bySession, byUser, seldom], sessions)
    await first.commit({
      name: 'test.end-all',
      run: () => endSessionsOfUser(realWorld, environmentId, userId, null, now),
    })
    const all = await promised()
    assert.deepEqual(
      all.filter(({ clientId }) => clientId !== bySession.id).toSorted(byId),
      [byUser, seldom].map(({ id }) => ({ clientId: id, userId })).toSorted(byId),
    )
    const newest = sessions.slice(10).map(({ id }) => ({ clientId: bySession.id, userId, sessionId: id }))
    assert.deepEqual(all.filter(({ clientId }) => clientId === bySession.id).toSorted(byId), newest.toSorted(byId))
    assert.equal(await live(), 0)
  })

  test('an application that maps sub to something of its own is told session by session', async () => {
    const [usual, own] = [told(), told()]
    const sessions = [uuid(), uuid()].map((id) => ({ id, clients: [usual.id, own.id] }))
    const { environmentId, userId, promised } = await arrange([usual, own], sessions)
    await fill(
      'application_attributes',
      [
        { application_id: usual.id, name: 'sub', value: '${user.id}' },
        { application_id: usual.id, name: 'email', value: '${user.email}' },
        { application_id: own.id, name: 'sub', value: '${user.email}' },
      ].map((row) => ({ environment_id: environmentId, id: uuid(), ...row })),
    )
    await first.commit({
      name: 'test.end-all',
      run: () => endSessionsOfUser(realWorld, environmentId, userId, null, now),
    })
    const wanted = [
      { clientId: usual.id, userId },
      ...sessions.map(({ id }) => ({ clientId: own.id, userId, sessionId: id })),
    ]
    assert.deepEqual((await promised()).toSorted(byId), wanted.toSorted(byId))
  })

  test('but for the session of the browser that does it: no token that would mean that one too', async () => {
    const app = told()
    const kept = { id: uuid(), clients: [app.id], token: 'kept' }
    const ended = { id: uuid(), clients: [app.id] }
    const { environmentId, userId, promised } = await arrange([app], [kept, ended])
    await first.commit({
      name: 'test.end-others',
      run: () => endSessionsOfUser(realWorld, environmentId, userId, 'kept', now),
    })
    assert.deepEqual(await promised(), [{ clientId: app.id, userId, sessionId: ended.id }])
    const text = 'SELECT id FROM sessions WHERE environment_id = $1'
    assert.deepEqual(await first.read({ text, values: [environmentId] }), [{ id: kept.id }])
  })

  test('a session that was signed off before is not told again', async () => {
    const app = told({ backchannelLogoutSessionRequired: true })
    const [before, rest] = [
      { id: uuid(), clients: [app.id] },
      { id: uuid(), clients: [app.id] },
    ]
    const { environmentId, userId, promised } = await arrange([app], [before, rest])
    const end = { environmentId, id: before.id, ending: 'revoked', now } as const
    await first.commit<EndedSession | undefined>({ name: 'test.end', run: () => endSession(realWorld, end) })
    await first.commit({
      name: 'test.end-all',
      run: () => endSessionsOfUser(realWorld, environmentId, userId, null, now),
    })
    const wanted = [before, rest].map(({ id }) => ({ clientId: app.id, userId, sessionId: id }))
    assert.deepEqual((await promised()).toSorted(byId), wanted.toSorted(byId))
  })
})

suite('families outlive their tokens as long as the session can live', () => {
  test('so that an application that signed on long ago is still told', () => {
    const settings = { ...defaultSettings, sessionAbsoluteMinutes: 90 * 24 * 60 }
    const user = { id: 'u', sessionId: 's', acr: '', amr: [], authTime: 0 }
    const family = { id: 'f', clientId: 'c', user, scopes: ['openid'] }
    const { value } = openFamily({ id: 'e', settings } as never, family, now).next()
    const statement = value as { readonly text: string; readonly values: readonly unknown[] }
    const columns = /\(([^)]*)\) VALUES/.exec(statement.text)?.[1]?.split(', ') ?? []
    const end = Number(statement.values[columns.indexOf('expires_at')])
    assert.ok(end >= now + 90 * 86_400_000, new Date(end).toISOString())
  })
})
