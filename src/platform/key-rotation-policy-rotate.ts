/**
 * Rotation on demand (extension; row R17): `keyRotationPolicy.rotate` on a key rotation policy. The next key has long been
 * published, and signs as soon as every node and every verifier can know it; the one after it is published at once.
 *
 * Never: a key that signs before the copies of the JWKS that lack it have run out.
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { defineOperation } from '../contract/operation.ts'
import { uuid } from '../contract/validation.ts'
import { generateKeyOf, sealedSigningKey } from '../environment/signing-keys.ts'
import { followingOf, soonest, upcoming } from '../keys/rotation.ts'
import { update } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { signingKeysOf } from '../storage/sql/signing-keys.ts'
import { answered, existing, existingInUnit, insertKey } from './key-rotation-policy-keys.ts'
import { keyRotationPolicy, keysOfPolicy } from './key-rotation-policy-representation.ts'

export const rotateKeyRotationPolicy = defineOperation({
  surface: 'management',
  tag: 'Keys',
  source: 'decision D24',
  cors: 'none',
  id: 'rotateKeyRotationPolicy',
  method: 'POST',
  path: '/v1/environments/{environmentId}/keyRotationPolicies/{keyRotationPolicyId}',
  mediaTypes: [vendorMediaType('keyRotationPolicy.rotate')],
  extension: true,
  summary: 'Have the next key sign as soon as every verifier can know it, and make the one after it',
  permission: { kind: 'role', permission: 'certmgt:update:keyRotationPolicy' },
  params: z.object({ environmentId: uuid, keyRotationPolicyId: uuid }),
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: keyRotationPolicy },
  errors: ['FORBIDDEN', 'NOT_FOUND'],
  event: 'KEY_ROTATION_POLICY.ROTATED',
  async handle({ params: { keyRotationPolicyId: id } }, context) {
    const { kernel, environment, now } = context
    const { policy: before } = await existing(context, id)
    const generated = await generateKeyOf(kernel.world, before)
    await kernel.environments.configure(environment.id, 'rotate-key-rotation-policy', now, function* (changes) {
      changes.push({ kind: 'snapshot' })
      const policy = yield* existingInUnit(environment.id, id)
      const next = upcoming(keysOfPolicy(yield* run(signingKeysOf(environment.id)), id), now).at(-1)
      const takesOver = soonest(next?.createdAt ?? now, now)
      if (next)
        yield* update('signing_keys', { environment_id: environment.id, id: next.row.id }, { signs_from: takesOver })
      const signsFrom =
        next === undefined ? takesOver : followingOf(takesOver, { rotationPeriodDays: policy.rotation_period })
      yield* insertKey(
        context,
        sealedSigningKey(environment.id, environment.dataKey, id, generated, signsFrom, kernel.world),
      )
      yield* update(
        'key_rotation_policies',
        { environment_id: environment.id, id },
        { rotates_at: Math.min(policy.rotates_at, takesOver), updated_at: now },
      )
      const successor = next?.row.id ?? generated.record.kid
      yield context.record({ subject: { type: 'KEY_ROTATION_POLICY', id }, detail: { keyId: successor } })
    })
    return { status: 200, body: await answered(context, id) }
  },
})
