/**
 * Answers `callWebhook`: an endpoint is told of the flow by a signed JWT (external/webhook.ts). A flow that is judged twice
 * (its state was saved by another request meanwhile) asks twice.
 */
import { askWebhook, webhookTokenType } from '../../external/webhook.ts'
import { signJwt } from '../../keys/jws.ts'
import type { Ask } from '../asked.ts'

/** How long a request is good for, in seconds: endpoints tell replays by it and by `jti`. */
const lifeSeconds = 60

/** Asks an endpoint. */
export const callWebhookAsk: Ask<'callWebhook'> = async (context, { url, timeoutMilliseconds, userId, flow }) => {
  const { kernel, environment, site, now, remoteAddress } = context
  const issuedAt = Math.floor(now / 1000)
  const claims = {
    iss: site.issuer,
    aud: url,
    sub: userId,
    iat: issuedAt,
    exp: issuedAt + lifeSeconds,
    jti: kernel.world.uuid(),
    environment: { id: environment.id },
    flow: { id: flow.id },
    application: { id: flow.applicationId },
    request: { remoteIp: remoteAddress },
    proofs: flow.proofs.map(({ method, at, provider }) => ({
      method,
      at: new Date(at).toISOString(),
      ...(provider ? { identityProvider: { id: provider.id } } : {}),
    })),
  }
  const token = await signJwt(environment.signingKey, claims, { typ: webhookTokenType })
  return { answer: { to: 'callWebhook', ...(await askWebhook(kernel.egress, url, token, timeoutMilliseconds)) } }
}
