/** Which claims a scope of `openid` may bring beside its own: attributes that somebody added to it (platform-api 3.11.2). */
import { invalidData } from '../errors/problem.ts'
import type { Word } from '../storage/operations.ts'
import { run } from '../storage/port.ts'
import { attributesOfResource } from '../storage/sql/attributes.ts'

/**
 * Refuses claims that are no custom attributes of the resource, in the unit that writes the scope.
 * @throws Problem INVALID_DATA
 */
export function* requireMappable(environmentId: string, resourceId: string, ids: readonly string[]): Word<void> {
  if (ids.length === 0) return
  const attributes = yield* run(attributesOfResource(environmentId, resourceId))
  const isCustom = (id: string) => attributes.some((attribute) => attribute.id === id && attribute.type === 'CUSTOM')
  const at = ids.findIndex((id) => !isCustom(id))
  if (at !== -1) throw invalidData('INVALID_VALUE', `mappedClaims.${at}`, 'is not a custom attribute of the resource')
}
