/** One request to a provider over HTTP, and what its status means for the message. */
import { type Egress, EgressFailed, type OutboundRequest } from '../external/egress.ts'
import { PermanentFailure, TemporaryFailure } from './delivery-failure.ts'

/**
 * Asks a provider to send a message.
 * @throws PermanentFailure when it will never take it; TemporaryFailure when it may later
 */
export async function askProvider(egress: Egress, request: OutboundRequest): Promise<void> {
  const { status } = await egress(request).catch((error: unknown) => {
    if (!(error instanceof EgressFailed)) throw error
    const isOurs = error.reason === 'url' || error.reason === 'address' || error.reason === 'port'
    if (isOurs || error.reason === 'header') throw new PermanentFailure('provider-not-reachable')
    throw new TemporaryFailure(`the provider could not be asked: ${error.reason}`)
  })
  if (status < 300) return
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw new PermanentFailure('refused', status)
  throw new TemporaryFailure(`the provider answered ${status}`)
}
