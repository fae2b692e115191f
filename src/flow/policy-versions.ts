/**
 * The two versions of a policy that a flow has to satisfy: the one it began with and the current one. Decision D20,
 * security catalogue J16: whichever is stricter holds, action by action.
 *
 * Never: an action left out because only one of the versions has it.
 */
import type { CompiledAction, CompiledPolicy } from './policy.ts'

/** A candidate policy as the caller hands it in. */
export interface PolicyVersions {
  /** The version the flow began with. */
  readonly atStart: CompiledPolicy
  /** The version of now; `null` when the policy was deleted or may not run for this application any more. */
  readonly current: CompiledPolicy | null
}

/** A candidate policy that may still run. */
export interface LivePolicy {
  readonly atStart: CompiledPolicy
  readonly current: CompiledPolicy
}

/** An action in one version of its policy. */
export interface Variant {
  readonly action: CompiledAction
  readonly policy: CompiledPolicy
}

/** All variants of one action. */
export type Variants = readonly [Variant, ...Variant[]]

/** Every action of both versions by id: in the order of the start, then those that were added since. */
export function variantsOf({ atStart, current }: LivePolicy): readonly Variants[] {
  const byId = new Map<string, [Variant, ...Variant[]]>()
  for (const policy of atStart.version === current.version ? [atStart] : [atStart, current]) {
    for (const action of policy.actions) {
      const variants = byId.get(action.id)
      if (variants) variants.push({ action, policy })
      else byId.set(action.id, [{ action, policy }])
    }
  }
  return [...byId.values()]
}

/** The variant with this id and version; undefined when neither policy is that version or has that action. */
export function variantOf({ atStart, current }: LivePolicy, id: string, version: number): CompiledAction | undefined {
  const policy = [atStart, current].find((candidate) => candidate.version === version)
  return policy?.actions.find((action) => action.id === id)
}
