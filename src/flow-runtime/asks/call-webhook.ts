/**
 * Answers `callWebhook`: an endpoint is told of the flow by a signed JWT (external/webhook.ts). No unit is open meanwhile.
 * A flow that is judged twice (its state was saved by another request meanwhile) asks twice.
 *
 * Never: a name, an address or an attribute of the user in the JWT; only ids, deeds and the address of the client.
 */
import { askWebhook, webhookTokenType } from '../../external/webhook.ts'
import { isAuthenticator } from '../../flow/proof.ts'
import { signingKeyFor } from '../../environment/signing-key-choice.ts'
import { signJwt } from '../../keys/jws.ts'
import type { Ask } from '../asked.ts'

/** How long a request is good for, in seconds: endpoints tell replays by it and by `jti`. */
const lifeSeconds = 60

/** Asks an endpoint. */
export const callWebhookAsk: Ask<'callWebhook'> = async (context, { url, timeoutMilliseconds, userId, flow }) => {
  const { kernel, environment, site, remoteAddress } = context
  const issuedAt = Math.floor(kernel.world.now() / 1000)
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
    proofs: flow.proofs
      .filter(({ method }) => isAuthenticator(method))
      .map(({ method, at, provider }) => ({
        method,
        at: new Date(at).toISOString(),
        ...(provider ? { identityProvider: { id: provider.id } } : {}),
      })),
  }
  const token = await signJwt(signingKeyFor(environment, {}, kernel.world.now()), claims, { typ: webhookTokenType })
  const answer = await askWebhook(kernel.egress, url, token, timeoutMilliseconds)
  if (answer.result !== 'ERROR') return { answer: { to: 'callWebhook', ...answer } }
  kernel.log.warn({ environmentId: environment.id, flowId: flow.id, why: answer.why }, 'a webhook gave no answer')
  return { answer: { to: 'callWebhook', result: 'ERROR' } }
}
