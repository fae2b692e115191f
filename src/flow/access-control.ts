/**
 * Whom an application lets sign on: `accessControl` of platform-api 3.7, by groups and by whether they hold a role, judged
 * once the user has proved who they are (authentication-api 2.3), and again when the flow is resumed.
 *
 * Never: a user let in while their groups or roles are not known, or by a rule that names no group.
 */
import type { FactName, Facts } from './facts.ts'

/** Whether the groups of this user have yet to be loaded. */
export function lacksGroups({ groups }: Facts, userId: string): boolean {
  return groups?.userId !== userId
}

/** What has to be loaded before `isAdmitted` can be asked. */
export function lackedForAdmission(facts: Facts, userId: string): readonly FactName[] {
  const { application, administrator } = facts
  if (application === undefined) return ['application']
  const lacked: FactName[] = []
  if (application.groupRule !== null && lacksGroups(facts, userId)) lacked.push('groups')
  if (application.administratorsOnly && administrator?.userId !== userId) lacked.push('administrator')
  return lacked
}

/** Whether the application lets this user sign on. */
export function isAdmitted({ application, groups, administrator }: Facts, userId: string): boolean {
  if (application === undefined) return false
  if (application.administratorsOnly && !(administrator?.userId === userId && administrator.isOne)) return false
  const rule = application.groupRule
  if (rule === null) return true
  const ids = groups?.userId === userId ? groups.ids : null
  if (ids === null || rule.groups.length === 0) return false
  const isMember = ({ id }: { readonly id: string }) => ids.includes(id)
  switch (rule.type) {
    case 'ANY_GROUP':
      return rule.groups.some(isMember)
    case 'ALL_GROUPS':
      return rule.groups.every(isMember)
  }
}
