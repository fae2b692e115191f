/**
 * Extension (decision D24): `{ "value": "${user.memberOfGroups.id}", "includes": "…" }`: true when the user is a member
 * of the group with this id, in whatever way. Several groups are joined by `and` and `or`. Not on the action of priority
 * 1, where nobody is known yet.
 *
 * Never: a result while the groups of the user are not known (security catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'

const includesSchema = z
  .strictObject({
    value: z.literal('${user.memberOfGroups.id}'),
    includes: z.string().regex(/^[0-9a-f-]{36}$/),
  })
  .describe('Extension: whether the user is a member of the group with this id, directly or not.')

export type Includes = z.infer<typeof includesSchema>

export const includes = defineCondition({
  operator: 'includes',
  schema: () => includesSchema,
  compile: ({ includes: groupId }) => ({
    reads: [{ fact: `user.memberOfGroups.${groupId}`, points: [true, false] }],
    evaluate({ groups }) {
      if (!groups) return 'unknown'
      return groups.includes(groupId) ? 'true' : 'false'
    },
  }),
})
