/**
 * PROGRESSIVE_PROFILING: ask users for attributes they have no value of, now and then. authentication-api 4.2
 * `user.update`, 5.4. Only the names of attributes are kept in the flow, never their values.
 *
 * Never: a value that is there overwritten; an attribute set that the action does not ask for; anybody asked who has not
 * proved who they are.
 */
import { z } from 'zod'
import { type Decision, defineAction } from '../action.ts'
import type { UserFacts } from '../facts.ts'
import { chosenOf, lackingOf, profileAttributes, profileBody, valueAt } from '../profile.ts'
import { provenUser } from '../proven-user.ts'
import { valueMissing } from '../refusal.ts'

const config = z.object({
  attributes: z
    .array(z.object({ name: z.enum(profileAttributes), required: z.boolean() }))
    .min(1)
    .max(profileAttributes.length),
  preventMultiplePromptsPerFlow: z.boolean().default(true),
  promptIntervalSeconds: z.int().min(0).default(7_776_000),
  promptText: z.string().max(1000).default(''),
})

type Config = z.output<typeof config>

/** The attributes that are asked for. */
const slot = z.strictObject({ lacking: z.array(z.enum(profileAttributes)) })

type Slot = z.infer<typeof slot>
type Decided = Decision<Slot, 'PROFILE_DATA_REQUIRED'>

export const progressiveProfiling = defineAction({
  type: 'PROGRESSIVE_PROFILING',
  config,
  problems: ({ attributes }) =>
    attributes.flatMap(({ name }, at) =>
      attributes.findIndex((other) => other.name === name) === at
        ? []
        : [{ code: 'UNIQUENESS_VIOLATION', target: `attributes[${at}].name`, message: 'is listed twice' } as const],
    ),
  conditionFacts: ['session', 'user'],
  needs: ['user'],
  slot,
  freshSlot: { lacking: [] },
  statuses: ['PROFILE_DATA_REQUIRED'],
  accepts: { 'user.update': { in: ['PROFILE_DATA_REQUIRED'], body: profileBody } },
  setsPasswordIn: [],
  methods: ['profile'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied(proofs, configured, { actionId, user, now }) {
    const asked = proofs.filter(({ method }) => method === 'profile')
    if (asked.some((proof) => configured.preventMultiplePromptsPerFlow || proof.actionId === actionId)) return true
    return user !== null && (lacking(configured, user).length === 0 || wasAskedLately(configured, user, now))
  },

  decide({ event, config: configured, slot: { lacking: wanted }, user, facts }): Decided {
    const known = provenUser(user, facts)
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    switch (event.type) {
      case 'enter': {
        const names = lacking(configured, known)
        return { outcome: 'wait', status: 'PROFILE_DATA_REQUIRED', slot: { lacking: names }, reason: 'profile-needed' }
      }
      case 'user.update': {
        const missing = configured.attributes
          .filter(({ name, required }) => required && wanted.includes(name) && valueAt(event.body, name) === undefined)
          .map(({ name }) => name)
        if (missing.length > 0) return { outcome: 'refuse', refusal: valueMissing(...missing) }
        const attributes = chosenOf(event.body, wanted)
        return { outcome: 'ask', question: { kind: 'updateProfile', userId: known.id, attributes } }
      }
      case 'external':
        throw new Error('PROGRESSIVE_PROFILING sends nobody anywhere')
      case 'answer':
        if (event.answer.to !== 'updateProfile') throw new Error('PROGRESSIVE_PROFILING asks nothing else')
        return { outcome: 'prove', methods: ['profile'], user: event.answer.user, reason: 'profile-updated' }
    }
  },
  view: ({ config: configured, slot: { lacking: wanted } }) => ({
    attributes: configured.attributes.filter(({ name }) => wanted.includes(name)),
    ...(configured.promptText === '' ? {} : { promptText: configured.promptText }),
  }),
})

function lacking({ attributes }: Config, user: UserFacts) {
  return lackingOf(
    user.attributes,
    attributes.map(({ name }) => name),
  )
}

/** Whether the user was asked within the interval. */
function wasAskedLately({ promptIntervalSeconds }: Config, { profileAskedAt }: UserFacts, now: number): boolean {
  return profileAskedAt != null && now - profileAskedAt < promptIntervalSeconds * 1000
}
