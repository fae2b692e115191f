/** Consents that are given, used and withdrawn at once, on both engines: rows B20, E08, I32. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  type ConsentInUse,
  consentStands,
  grantConsent,
  readConsent,
  withdrawConsent,
} from '../../src/directory/oauth-consents.ts'
import { insert } from '../../src/storage/operations.ts'
import type { Storage, UnitBody } from '../../src/storage/port.ts'
import { Stale, UniquenessViolation } from '../../src/storage/refusals.ts'
import { onBothEngines } from './engines.ts'
import { now } from './rig.ts'

await onBothEngines('consents', (nodes) => {
  const storage = nodes[0] as Storage
  const node = (at: number) => nodes[at % nodes.length] as Storage
  const commit = <T>(on: Storage, body: () => UnitBody<T>) => on.commit({ name: 'test.consent', run: body })

  function somebody() {
    const [environmentId, userId, applicationId] = [randomUUID(), randomUUID(), randomUUID()]
    const who = { environmentId, userId, applicationId }
    const read = () => readConsent({ storage }, environmentId, userId, applicationId)
    const give = async (scopeIds: readonly string[], on = storage) => {
      const before = await read()
      await commit(on, () => grantConsent({ ...who, scopeIds, before, newId: randomUUID(), now }))
    }
    const tokens = (sessionId: string) => ({
      environment_id: environmentId,
      id: randomUUID(),
      client_id: applicationId,
      user_id: userId,
      session_id: sessionId,
      scope: '',
      document: '{}',
      generation: 0,
      rotated_at: null,
      revoked_at: null,
      created_at: now,
      expires_at: now + 1,
    })
    return { ...who, read, give, tokens }
  }

  test('what is granted later is added, under the same id', async () => {
    const { read, give } = somebody()
    await give(['a', 'b'])
    const first = await read()
    await give(['b', 'c'])
    const second = await read()
    assert.deepEqual([second?.scopeIds, second?.id], [['a', 'b', 'c'], first?.id])
  })

  test('I32: of fifty first consents at once one is made; of fifty more at once none is lost unseen', async () => {
    const { read, give } = somebody()
    const attempt = async (scopes: readonly string[], at: number) => {
      try {
        await give(scopes, node(at))
        return scopes
      } catch (error) {
        assert.ok(error instanceof Stale || error instanceof UniquenessViolation)
        return []
      }
    }
    for (const prefix of ['first', 'more']) {
      const before = (await read())?.scopeIds ?? []
      const given = await Promise.all(Array.from({ length: 50 }, (_, at) => attempt([`${prefix}-${at}`], at)))
      assert.deepEqual((await read())?.scopeIds.toSorted(), [...before, ...given.flat()].toSorted())
    }
  })

  test('E08: the id of a consent is nothing without whose and for which application it is', async () => {
    const { environmentId, userId, applicationId, read, give, tokens } = somebody()
    await give(['a'])
    const consent = await read()
    assert.ok(consent)
    await commit(storage, function* () {
      yield* insert('token_families', tokens('session'))
    })
    const wrong = [
      { environmentId: randomUUID(), userId, applicationId },
      { environmentId, userId: randomUUID(), applicationId },
      { environmentId, userId, applicationId: randomUUID() },
    ]
    for (const { environmentId: environment, ...who } of wrong) {
      const use: ConsentInUse = { environmentId: environment, ...who, consentId: consent.id }
      assert.equal(await commit<boolean>(storage, () => consentStands(use, now)), false)
      assert.equal(await commit(storage, () => withdrawConsent(environment, { id: consent.id, ...who }, now)), false)
    }
    assert.deepEqual(await read(), consent, 'neither used nor withdrawn')
    const [family] = await storage.read<{ readonly revoked_at: number | null }>({
      text: 'SELECT revoked_at FROM token_families WHERE environment_id = $1',
      values: [environmentId],
    })
    assert.equal(family?.revoked_at, null)
    const another = { id: randomUUID(), userId, applicationId }
    assert.equal(await commit(storage, () => withdrawConsent(environmentId, another, now)), false, 'nor by another id')
    assert.equal(await commit(storage, () => withdrawConsent(environmentId, consent, now)), true)
  })

  test('E08: issued and withdrawn at once: nothing that was issued lives on', async () => {
    for (let round = 0; round < 20; round++) {
      const { environmentId, userId, applicationId, read, give, tokens } = somebody()
      await give(['a'])
      const consent = await read()
      assert.ok(consent)
      const issue = (at: number) =>
        commit(node(at), function* () {
          const use = { environmentId, userId, applicationId, consentId: consent.id }
          if (yield* consentStands(use, now)) yield* insert('token_families', tokens(`session-${at}`))
        })
      const withdraw = commit(node(round), () => withdrawConsent(environmentId, consent, now))
      await Promise.all([...Array.from({ length: 6 }, (_, at) => issue(at)), withdraw, issue(6)])
      const living = await storage.read({
        text: 'SELECT id FROM token_families WHERE environment_id = $1 AND revoked_at IS NULL',
        values: [environmentId],
      })
      assert.deepEqual(living, [])
      assert.equal(await read(), undefined)
    }
  })
})
