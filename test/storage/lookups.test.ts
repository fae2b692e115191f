/**
 * Which indexes the statements use that look for something of a user, where there is very much of it: what a request costs
 * must not grow with what its user, or all others, did before.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { insertAll, remove } from '../../src/storage/operations.ts'
import { type Row, run, type SqlValue, type Statement, type Storage } from '../../src/storage/port.ts'
import { endOtherRefreshOfSession, offlineIn, oldestOfflineFamilies } from '../../src/storage/sql/token-families.ts'
import { onEachEngine } from '../jobs/on-each-engine.ts'

const environmentId = randomUUID()
const userId = randomUUID()
const clientId = randomUUID()
const sessionId = randomUUID()

/** One of the grants of a user; every thirtieth has refresh tokens. */
function grant(at: number): Row {
  const refreshes = at % 30 === 0
  const whose = { environment_id: environmentId, id: randomUUID(), client_id: clientId, user_id: userId }
  const session_id = refreshes ? offlineIn(sessionId) : sessionId
  const times = { rotated_at: null, revoked_at: null, created_at: at, expires_at: at + 1 }
  return { ...whose, session_id, scope: 'openid', document: '{}', generation: refreshes ? 1 : 0, ...times }
}

/** A mobile device, each of another user. */
function mobileDevice(at: number): Row {
  const whose = { environment_id: environmentId, device_id: randomUUID(), user_id: randomUUID() }
  const key = { application_id: clientId, public_key: '{}', key_thumbprint: randomUUID() }
  return { ...whose, ...key, os: null, model: null, sealed_push_token: null, created_at: at }
}

onEachEngine('lookups', (open) => {
  /** A store with three thousand rows of a table. */
  async function filled(table: string, row: (at: number) => Row): Promise<Storage> {
    const { storage } = await open()
    const rows = Array.from({ length: 3_000 }, (_, at) => row(at))
    for (let at = 0; at < rows.length; at += 100) {
      await storage.commit({ name: 'fill', run: () => insertAll(table, rows.slice(at, at + 100)) })
    }
    // PostgreSQL counts its rows by itself, a little later; the embedded engine never does.
    if (storage.engine === 'postgres') await told(storage, `ANALYZE ${table}`)
    return storage
  }

  function told(storage: Storage, text: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return storage.commit({ name: 'told', run: () => run<Row>({ text, values }) })
  }

  async function plan(storage: Storage, { text, values }: Statement<object>): Promise<string> {
    const explain = storage.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
    const rows = await told(storage, `${explain} ${text}`, values)
    return rows.map((row) => Object.values(row).join(' ')).join('\n')
  }

  test('a new grant looks at those that have refresh tokens, not at all that its user gave', async () => {
    const storage = await filled('token_families', grant)
    const key = { environmentId, userId, clientId, id: randomUUID() }
    for (const statement of [oldestOfflineFamilies(key, 99, 50), endOtherRefreshOfSession(key, sessionId)]) {
      assert.match(await plan(storage, statement), /token_families_refreshing/)
    }
  })

  test('the mobile devices of a user who is removed are found among those of all others', async () => {
    const storage = await filled('mobile_devices', mobileDevice)
    const { value: statement } = remove('mobile_devices', { environment_id: environmentId, user_id: userId }).next()
    assert.ok(typeof statement === 'object')
    assert.match(await plan(storage, statement), /mobile_devices_user/)
  })
})
