/**
 * Planned rotation of signing keys (platform-api 3.15; rows F11, R17): the next key of every policy is made as soon as the
 * one before it has taken over, so that it stands in the JWKS for a whole period before it signs; keys whose last token has
 * expired are taken out. Nothing happens at the moment of the change itself: each key knows when it begins to sign.
 *
 * Never: two next keys, should two nodes run this at once; a key of a policy that has none signing.
 */
import { type EventOrigin, record } from '../events/record.ts'
import type { Kernel } from '../kernel.ts'
import { generateKeyOf, sealedSigningKey } from '../environment/signing-keys.ts'
import { allExpiredBefore, plannedFor, signingAt, superseded, upcoming } from '../keys/rotation.ts'
import { insert, update } from '../storage/operations.ts'
import { underLease } from '../storage/lease.ts'
import { run, type UnitBody } from '../storage/port.ts'
import {
  environmentsWithKeysRetired,
  keyRotationPolicyById,
  policiesToRotate,
  removeKeysRetired,
  type SigningKeyRow,
  signingKeysOf,
} from '../storage/sql/signing-keys.ts'

type Ports = Pick<Kernel, 'storage' | 'world' | 'environments' | 'log'>

/** Rotates what is due and takes out what is over, unless another node is at it. A node with nothing to do writes nothing. */
export async function rotateKeys(ports: Ports, signal: AbortSignal): Promise<void> {
  const { storage, world } = ports
  const now = world.now()
  const [due, over] = await Promise.all([
    storage.read(policiesToRotate(now)),
    storage.read(environmentsWithKeysRetired(allExpiredBefore(now))),
  ])
  if (due.length === 0 && over.length === 0) return
  await underLease(storage, world, { name: 'key-rotation', duration: 60_000 }, async (lost) => {
    const stop = AbortSignal.any([signal, lost])
    for (const { environment_id, id } of due) {
      if (stop.aborted) return
      await rotate(ports, environment_id, id)
    }
    for (const { environment_id } of over) {
      if (stop.aborted) return
      await takeOut(ports, environment_id)
    }
  })
}

/** Notes since when the keys before the present one are done, and makes the next one where there is none. */
async function rotate({ storage, world, environments, log }: Ports, environmentId: string, policyId: string) {
  const environment = await environments.get(environmentId)
  const [policy] = await storage.read(keyRotationPolicyById(environmentId, policyId))
  if (!environment || !policy) return
  const isComing = upcoming(keysOf(await storage.read(signingKeysOf(environmentId)), policyId), world.now()).length > 0
  const generated = isComing ? undefined : await generateKeyOf(world, policy)
  const now = world.now()
  await environments.configure(environmentId, 'rotate-keys', now, function* (changes) {
    const [present] = yield* run(keyRotationPolicyById(environmentId, policyId))
    if (!present) return
    const keys = keysOf(yield* run(signingKeysOf(environmentId)), policyId)
    for (const [{ id }, retiredAt] of superseded(keys, now)) {
      yield* update('signing_keys', { environment_id: environmentId, id }, { retired_at: retiredAt })
      changes.push({ kind: 'snapshot' })
    }
    const [coming] = upcoming(keys, now)
    const rotation = {
      rotationPeriodDays: present.rotation_period,
      publicationSeconds: environment.settings.keyPublicationSeconds,
    }
    const signsFrom = coming?.signsFrom ?? plannedFor(rotation, signingAt(keys, now), now, now)
    if (!coming) {
      // It came about that there is none only since it was looked at: the next run makes it.
      if (!generated) return
      const row = sealedSigningKey(environmentId, environment.dataKey, policyId, generated, signsFrom, world)
      yield* insert('signing_keys', row)
      const event = { subject: { type: 'KEY', id: row.id }, detail: { algorithm: present.algorithm } }
      yield record(origin(world, environmentId, now), { action: 'KEY.CREATED', ...event })
      changes.push({ kind: 'snapshot' })
    }
    yield* update('key_rotation_policies', { environment_id: environmentId, id: policyId }, { rotates_at: signsFrom })
  })
  log.info({ environmentId, policyId }, 'the next signing key is published')
}

function keysOf(rows: readonly SigningKeyRow[], policyId: string) {
  return rows
    .filter((row) => row.policy_id === policyId)
    .map((row) => ({ id: row.id, createdAt: row.created_at, signsFrom: row.signs_from, retiredAt: row.retired_at }))
}

function takeOut({ world, environments }: Ports, environmentId: string): Promise<void> {
  const now = world.now()
  return environments.configure(environmentId, 'take-out-keys', now, function* (changes): UnitBody<void> {
    for (const { id } of yield* run(removeKeysRetired(environmentId, allExpiredBefore(now)))) {
      yield record(origin(world, environmentId, now), { action: 'KEY.DELETED', subject: { type: 'KEY', id } })
      changes.push({ kind: 'snapshot' })
    }
  })
}

/** Nobody asked for it: the server does it by itself. */
function origin(world: Kernel['world'], environmentId: string, now: number): EventOrigin {
  return { world, now, environmentId, correlationId: world.uuid(), remoteAddress: '', actor: { kind: 'anonymous' } }
}
