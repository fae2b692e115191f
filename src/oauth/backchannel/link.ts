/**
 * The link that a user is sent where their app cannot be asked: it names the request, and nothing else. Whoever has it can
 * come to the page and has yet to sign on as the user it was sent to.
 *
 * Never: an id in clear, or a link that another environment takes.
 */
import type { Environment } from '../../environment/snapshot.ts'
import { open, seal, type SealContext, UnsealFailed } from '../../keys/sealing.ts'
import type { Site } from '../../site.ts'
import type { World } from '../../world.ts'

function place(environmentId: string): SealContext {
  return { environmentId, table: 'polled_grants', row: 'backchannel', column: 'link' }
}

/** The address for a grant. */
export function backchannelLink(world: World, { id, dataKey }: Environment, site: Site, grantId: string): string {
  return `${site.pagesBase}/backchannel?token=${seal(dataKey, grantId, place(id), world)}`
}

/** The grant of a token; undefined when it is none of this environment. */
export function grantOfLink({ id, dataKey }: Environment, token: string): string | undefined {
  try {
    return open(dataKey, token, place(id)).toString('utf8')
  } catch (error) {
    if (error instanceof UnsealFailed) return undefined
    throw error
  }
}
