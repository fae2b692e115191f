/** FIDO2 policies (platform-api 3.14.4): which credentials people may register. The first two come with the environment. */
import { z } from 'zod'
import type { Operation } from '../contract/operation.ts'
import { timestamp, iso } from '../contract/validation.ts'
import { relyingParty } from '../directory/fido2.ts'
import { fido2PolicyProblems, fido2PolicySchema } from '../environment/fido2-policy.ts'
import { defaultedPolicyOperations } from './defaulted-policies.ts'

export const fido2PolicyOperations: readonly Operation[] = defaultedPolicyOperations({
  tag: 'FIDO2 policies',
  source: 'platform-api 3.14.4',
  noun: 'FIDO2 policy',
  singular: 'Fido2Policy',
  plural: 'Fido2Policies',
  collection: 'fido2Policies',
  table: 'fido2_policies',
  permissions: {
    read: 'mfa:read:fido2Policy',
    create: 'mfa:create:fido2Policy',
    update: 'mfa:update:fido2Policy',
    delete: 'mfa:delete:fido2Policy',
  },
  events: { created: 'FIDO2_POLICY.CREATED', updated: 'FIDO2_POLICY.UPDATED', deleted: 'FIDO2_POLICY.DELETED' },
  subject: 'FIDO2_POLICY',
  schema: fido2PolicySchema,
  more: { createdAt: timestamp, deviceAuthenticationPolicies: z.array(z.string()).optional() },
  moreOf: ({ id, created_at }, { kernel, environment: { flowConfiguration } }) => ({
    createdAt: iso(created_at),
    relyingPartyId: relyingParty(kernel.origins).id,
    deviceAuthenticationPolicies: [...flowConfiguration.deviceAuthenticationPolicies]
      .filter(([, { fido2 }]) => fido2?.fido2PolicyId === id)
      .map(([policyId]) => policyId),
  }),
  problems: (policy, { kernel }) => fido2PolicyProblems(policy, relyingParty(kernel.origins).id),
  namedBy(id, { environment: { flowConfiguration } }) {
    const policies = [...flowConfiguration.deviceAuthenticationPolicies.values()]
    return policies.some(({ fido2 }) => fido2?.fido2PolicyId === id) ? 'a device authentication policy' : undefined
  },
})
