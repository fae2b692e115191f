/** Rotation of the master key (security-and-reliability 4.3, R18): data keys move, what they sealed stays as it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertEnvironment, prepareEnvironment } from '../../src/environment/bootstrap.ts'
import { loadEnvironment } from '../../src/environment/load.ts'
import type { Environment } from '../../src/environment/snapshot.ts'
import { rewrapDataKeys } from '../../src/jobs/rewrap-data-keys.ts'
import { parseMasterKeys } from '../../src/keys/master-key.ts'
import { dataKeysNotUnder } from '../../src/storage/sql/environments.ts'
import { onEachEngine, type Ports, randomMasterKey } from './on-each-engine.ts'

const never = new AbortController().signal
const kids = (environment: Environment | undefined) => environment?.signingKeys.map(({ kid }) => kid)

async function createEnvironment(
  { storage, world }: Ports,
  masterKeys: Ports['masterKeys'],
  name: string,
): Promise<string> {
  const wanted = {
    organizationId: world.uuid(),
    licenseId: world.uuid(),
    name,
    type: 'SANDBOX' as const,
    region: 'NA',
    now: world.now(),
  }
  const prepared = await prepareEnvironment({ world, masterKeys }, wanted)
  await storage.commit({ name: 'create', run: () => insertEnvironment(prepared) })
  return prepared.id
}

onEachEngine('re-wrapping of data keys', (open) => {
  test('brings every data key under the present master key, so that the old one can go', async () => {
    const ports = await open()
    const { storage } = ports
    const [old, present] = [randomMasterKey(), randomMasterKey()]
    const ids = [
      await createEnvironment(ports, parseMasterKeys(old), 'first'),
      await createEnvironment(ports, parseMasterKeys(old), 'second'),
      await createEnvironment(ports, parseMasterKeys(present), 'third'),
    ]
    const rotating = parseMasterKeys(present, old)
    assert.equal((await storage.read(dataKeysNotUnder(rotating.current.id))).length, 2)
    const before = await Promise.all(ids.map((id) => loadEnvironment(storage, rotating, id)))

    await rewrapDataKeys({ ...ports, masterKeys: rotating }, never)
    const onlyPresent = parseMasterKeys(present)
    assert.equal((await storage.read(dataKeysNotUnder(onlyPresent.current.id))).length, 0)
    for (const [at, id] of ids.entries()) {
      const environment = await loadEnvironment(storage, onlyPresent, id)
      assert.deepEqual(kids(environment), kids(before[at]))
      assert.ok(environment?.dataKey.equals(before[at]?.dataKey as never))
    }
  })

  test('leaves a data key alone whose master key is not at hand, and moves the others', async () => {
    const ports = await open()
    const { storage } = ports
    const [lost, old, present] = [randomMasterKey(), randomMasterKey(), randomMasterKey()]
    const stranded = await createEnvironment(ports, parseMasterKeys(lost), 'stranded')
    await createEnvironment(ports, parseMasterKeys(old), 'movable')
    const rotating = parseMasterKeys(present, old)
    await rewrapDataKeys({ ...ports, masterKeys: rotating }, never)
    const left = await storage.read(dataKeysNotUnder(rotating.current.id))
    assert.deepEqual(
      left.map((key) => key.environment_id),
      [stranded],
    )
    assert.ok(await loadEnvironment(storage, parseMasterKeys(lost), stranded))
  })
})
