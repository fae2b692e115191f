/**
 * What a node serves, and which operations a path has. Some are loaded with the node; the others when the first request
 * comes that is for none of these.
 */
import type { Operation } from '../contract/operation.ts'
import { type Found, pathLookup } from './paths.ts'

/** What a node serves. No path has operations in both lists. */
export interface Served {
  readonly operations: readonly Operation[]
  /** Asked for when it is needed, and again only where that has failed. */
  readonly management: () => Promise<readonly Operation[]>
}

type Group = Found<readonly Operation[]> | undefined

/**
 * Makes the lookup.
 * @returns finds the operations of a request's target; undefined where nothing stands
 */
export function operationLookup({ operations, management }: Served): (target: string) => Group | Promise<Group> {
  const find = pathLookup(byPath(operations))
  let findFurther: ((target: string) => Group) | undefined
  const load = async () => (findFurther = pathLookup(byPath(await management())))
  let loading: ReturnType<typeof load> | undefined
  return (target) => {
    const found = find(target)
    if (found) return found
    if (findFurther) return findFurther(target)
    loading ??= load().finally(() => (loading = undefined))
    return loading.then((findThere) => findThere(target))
  }
}

function byPath(operations: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>()
  for (const operation of operations) {
    for (const path of [operation.path, ...(operation.aliases ?? [])]) {
      const group = groups.get(path)
      if (group) group.push(operation)
      else groups.set(path, [operation])
    }
  }
  return groups
}
