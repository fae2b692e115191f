/**
 * Device authentication policies, called MFA policies (platform-api 3.14.3): which second factors an environment takes.
 * The default applies where an action of a sign-on policy names none.
 *
 * Never: a policy removed that an action names; a factor switched on that this version does not have.
 */
import { z } from 'zod'
import type { Context, Operation } from '../contract/operation.ts'
import { deviceAuthenticationPolicySchema, policyProblems } from '../flow/factors/device-authentication-policy.ts'
import type { Detail } from '../flow/refusal.ts'
import { notificationsPolicyById } from '../storage/sql/notifications.ts'
import { defaultedPolicyOperations } from './defaulted-policies.ts'

/** The device authentication policy that the configuration of an action names. */
export function namedPolicy(config: unknown): string | undefined {
  return (config as { readonly deviceAuthenticationPolicy?: { readonly id: string } }).deviceAuthenticationPolicy?.id
}

function unknownFido2Policy(id: string | undefined, known: ReadonlyMap<string, unknown>): Detail[] {
  if (id === undefined || known.has(id)) return []
  return [{ code: 'INVALID_VALUE', target: 'fido2.fido2PolicyId', message: 'is not a FIDO2 policy' }]
}

/** One that is deleted later gives way to the default one. */
async function unknownNotificationsPolicy(id: string | undefined, { kernel, environment }: Context): Promise<Detail[]> {
  if (id === undefined || (await kernel.storage.read(notificationsPolicyById(environment.id, id))).length > 0) return []
  return [{ code: 'INVALID_VALUE', target: 'notificationsPolicy.id', message: 'is not a notifications policy' }]
}

/** Applications that are none, or whose devices cannot have an app. */
async function unfitApplications(
  applications: readonly { readonly id: string }[],
  { kernel, environment }: Context,
): Promise<Detail[]> {
  const details: Detail[] = []
  for (const [at, { id }] of applications.entries()) {
    const application = await kernel.environments.application(environment.id, id)
    if (application?.type === 'NATIVE_APP') continue
    const target = `mobile.applications.${at}.id`
    details.push({ code: 'INVALID_VALUE', target, message: 'is not a native application of this environment' })
  }
  return details
}

export const deviceAuthenticationPolicyOperations: readonly Operation[] = defaultedPolicyOperations({
  tag: 'Device authentication policies',
  source: 'platform-api 3.14.3',
  noun: 'device authentication policy',
  singular: 'DeviceAuthenticationPolicy',
  plural: 'DeviceAuthenticationPolicies',
  collection: 'deviceAuthenticationPolicies',
  table: 'device_authentication_policies',
  permissions: {
    read: 'mfa:read:deviceAuthenticationPolicy',
    create: 'mfa:create:deviceAuthenticationPolicy',
    update: 'mfa:update:deviceAuthenticationPolicy',
    delete: 'mfa:delete:deviceAuthenticationPolicy',
  },
  events: {
    created: 'DEVICE_AUTHENTICATION_POLICY.CREATED',
    updated: 'DEVICE_AUTHENTICATION_POLICY.UPDATED',
    deleted: 'DEVICE_AUTHENTICATION_POLICY.DELETED',
  },
  subject: 'DEVICE_AUTHENTICATION_POLICY',
  schema: deviceAuthenticationPolicySchema,
  more: { forSignOnPolicy: z.boolean() },
  moreOf: () => ({ forSignOnPolicy: false }),
  problems: async (policy, context) => [
    ...policyProblems(policy),
    ...unknownFido2Policy(policy.fido2?.fido2PolicyId, context.environment.fido2Policies),
    ...(await unfitApplications(policy.mobile.applications ?? [], context)),
    ...(await unknownNotificationsPolicy(policy.notificationsPolicy?.id, context)),
  ],
  namedBy(id, { environment }) {
    const actions = [...environment.policies.values()].flatMap((policy) => policy.actions)
    return actions.some(({ config }) => namedPolicy(config) === id) ? 'a sign-on policy' : undefined
  },
})
