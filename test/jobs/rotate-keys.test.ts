/** Planned rotation (rows F11, R17): the next key stands in the JWKS long before it signs, the old one long after. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertEnvironment, prepareEnvironment } from '../../src/environment/bootstrap.ts'
import { signingKeyFor } from '../../src/environment/signing-key-choice.ts'
import { defaultSettings } from '../../src/environment/settings.ts'
import type { Environment } from '../../src/environment/snapshot.ts'
import { rotateKeys } from '../../src/jobs/rotate-keys.ts'
import { run, type Storage, type Unit } from '../../src/storage/port.ts'
import { stampDeletion } from '../../src/storage/sql/deletion.ts'
import { onEachEngine, type Ports } from './on-each-engine.ts'

const day = 86_400_000
const never = new AbortController().signal

onEachEngine('rotation of signing keys', (open) => {
  /** An environment that signs by ES256, with a policy for RS256 beside. */
  async function createEnvironment({ storage, world, masterKeys }: Ports): Promise<string> {
    const prepared = await prepareEnvironment(
      { world, masterKeys },
      {
        organizationId: world.uuid(),
        licenseId: world.uuid(),
        name: world.uuid(),
        type: 'SANDBOX',
        region: 'NA',
        settings: { ...defaultSettings, signingAlgorithm: 'ES256' },
        now: world.now(),
      },
    )
    await storage.commit({ name: 'create', run: () => insertEnvironment(prepared) })
    return prepared.id
  }

  const snapshot = async ({ environments }: Ports, id: string): Promise<Environment> =>
    (await environments.get(id)) ?? assert.fail()
  const kids = ({ signingKeys }: Environment) => signingKeys.map(({ kid }) => kid)
  const signing = (environment: Environment, { world }: Ports) => signingKeyFor(environment, {}, world.now()).kid

  test('every policy gets its next key at once, and each key signs for its period', async () => {
    const ports = await open()
    const id = await createEnvironment(ports)
    const { world } = ports
    const began = world.now()
    const first = signing(await snapshot(ports, id), ports)
    await rotateKeys(ports, never)
    const published = await snapshot(ports, id)
    assert.equal(published.signingKeys.length, 4, 'two policies with two keys each')
    const [next] = published.signingKeys.filter(({ algorithm, kid }) => algorithm === 'ES256' && kid !== first)
    assert.ok(next)
    assert.equal(next.signsFrom, began + 90 * day)
    assert.equal(signing(published, ports), first)

    world.advance(90 * day - 1)
    assert.equal(signing(await snapshot(ports, id), ports), first)
    world.advance(1)
    assert.equal(signing(await snapshot(ports, id), ports), next.kid, 'without anything being done')

    await rotateKeys(ports, never)
    const after = await snapshot(ports, id)
    assert.equal(after.signingKeys.length, 6)
    assert.equal(after.signingKeys.find(({ kid }) => kid === first)?.retiredAt, began + 90 * day)
    const coming = after.signingKeys.filter(
      ({ algorithm, signsFrom }) => algorithm === 'ES256' && signsFrom > world.now(),
    )
    assert.deepEqual(
      coming.map(({ signsFrom }) => signsFrom - began),
      [180 * day],
    )
  })

  test('F11: an old key stays until the last token it can have signed has expired, and no longer', async () => {
    const ports = await open()
    const id = await createEnvironment(ports)
    const { world } = ports
    const first = signing(await snapshot(ports, id), ports)
    await rotateKeys(ports, never)
    world.advance(90 * day)
    await rotateKeys(ports, never)
    world.advance(30 * day + 119_000)
    await rotateKeys(ports, never)
    assert.ok(kids(await snapshot(ports, id)).includes(first))
    world.advance(1000)
    await rotateKeys(ports, never)
    const left = await snapshot(ports, id)
    assert.ok(!kids(left).includes(first))
    assert.equal(left.signingKeys.length, 4)
  })

  test('a server that was away for years has one key that signs, and the next is published for a day first', async () => {
    const ports = await open()
    const id = await createEnvironment(ports)
    const { world } = ports
    await rotateKeys(ports, never)
    world.advance(1000 * day)
    const before = signing(await snapshot(ports, id), ports)
    await rotateKeys(ports, never)
    const environment = await snapshot(ports, id)
    assert.equal(signing(environment, ports), before)
    const coming = environment.signingKeys.filter(({ signsFrom }) => signsFrom > world.now())
    assert.deepEqual(
      coming.map(({ signsFrom }) => signsFrom - world.now()),
      [day, day],
    )
  })

  test('two nodes that do it at once make one next key, and a run with nothing to do changes nothing', async () => {
    const ports = await open()
    const id = await createEnvironment(ports)
    // Past the lease, as when a node has lost it without knowing.
    const runs = Array.from({ length: 5 }, () => rotateKeys({ ...ports, storage: leaseless(ports.storage) }, never))
    await Promise.all(runs)
    const environment = await snapshot(ports, id)
    assert.equal(environment.signingKeys.length, 4)
    await rotateKeys(ports, never)
    assert.equal((await snapshot(ports, id)).version, environment.version)
  })

  /** A storage by which everybody gets the lease. */
  function leaseless(storage: Storage): Storage {
    const commit = (unit: Unit<unknown>) =>
      unit.name.startsWith('lease.') ? Promise.resolve(true) : storage.commit(unit)
    return new Proxy(storage, {
      get: (target, name) => {
        const value: unknown = name === 'commit' ? commit : Reflect.get(target, name)
        return typeof value === 'function' && name !== 'commit' ? value.bind(target) : value
      },
    })
  }

  test('an environment that is being deleted is left alone', async () => {
    const ports = await open()
    const id = await createEnvironment(ports)
    const { storage, world } = ports
    await storage.commit({ name: 'stamp', single: true, run: () => run(stampDeletion(id, world.now())) })
    await rotateKeys(ports, never)
    const statement = { text: 'SELECT id FROM signing_keys WHERE environment_id = $1', values: [id] }
    assert.equal((await storage.read(statement)).length, 2)
  })
})
