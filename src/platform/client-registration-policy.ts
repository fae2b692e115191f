/**
 * What an environment allows clients that register themselves: `~/clientRegistrationPolicy` (extension, decision D24;
 * RFC 7591, draft-ietf-oauth-client-id-metadata-document). What a body leaves out goes back to its default; DELETE puts all
 * of it back, which switches both ways off. Clients that are there stay as they are, until they register anew.
 *
 * Never: a scope allowed that is not there, or an address of keys that the server may not ask (row G01).
 */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import { type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { iso, reference, timestamp, uuid } from '../contract/validation.ts'
import { keySetProblem } from '../environment/client-key-set.ts'
import {
  type ClientRegistrationPolicy,
  clientRegistrationPolicy,
  clientRegistrationPolicyFrom,
  defaultClientRegistrationPolicy,
} from '../environment/client-registration-policy.ts'
import type { Environment } from '../environment/snapshot.ts'
import { type Detail, problem } from '../errors/problem.ts'
import { outboundUrlProblem } from '../external/outbound-url.ts'
import { remove } from '../storage/operations.ts'
import { clientRegistrationPolicyOf, putClientRegistrationPolicy } from '../storage/sql/client-registration.ts'
import { nullMeansAbsent } from './absent-members.ts'

const policyResource = clientRegistrationPolicy.extend({
  _links: linksSchema,
  environment: reference,
  updatedAt: timestamp.optional(),
})

function policyBody({ site, environment }: Context, policy: ClientRegistrationPolicy, updatedAt: number | undefined) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  return {
    _links: links({
      self: `${environmentUrl}/clientRegistrationPolicy`,
      environment: environmentUrl,
      initialAccessTokens: `${environmentUrl}/initialAccessTokens`,
    }),
    environment: { id: environment.id },
    ...policy,
    ...(updatedAt === undefined ? {} : { updatedAt: iso(updatedAt) }),
  }
}

/** Everything that is wrong with a policy; empty when nothing is. */
function problemsOf(context: Context, policy: ClientRegistrationPolicy): Detail[] {
  return [...grantProblems(context.environment, policy), ...issuerProblems(context, policy)]
}

function grantProblems({ resources, scopes }: Environment, { grants }: ClientRegistrationPolicy): Detail[] {
  const seen = new Set<string>()
  return grants.flatMap(({ resource, scopes: granted }, at): Detail[] => {
    const target = `grants.${at}.resource.id`
    const found = resources.get(resource.id)
    if (!found) return [{ code: 'INVALID_VALUE', target, message: 'must be a resource of the environment' }]
    if (seen.has(resource.id)) return [{ code: 'INVALID_VALUE', target, message: 'must not be named twice' }]
    seen.add(resource.id)
    return granted.flatMap(({ id }, scopeAt): Detail[] => {
      const scope = scopes.get(id)
      const message =
        scope?.resourceId !== resource.id
          ? 'must be a scope of the resource'
          : found.type === 'OPENID_CONNECT' && scope.name === 'openid'
            ? 'is never granted: every application may ask for openid'
            : undefined
      return message ? [{ code: 'INVALID_VALUE', target: `grants.${at}.scopes.${scopeAt}.id`, message }] : []
    })
  })
}

function issuerProblems({ kernel }: Context, { softwareStatements }: ClientRegistrationPolicy): Detail[] {
  const { required, trustedIssuers } = softwareStatements
  const nobody: Detail[] =
    required && trustedIssuers.length === 0
      ? [{ code: 'REQUIRED_VALUE', target: 'softwareStatements.trustedIssuers', message: 'must not be empty' }]
      : []
  const unusable = trustedIssuers.flatMap(({ jwks, jwksUrl }, at): Detail[] => {
    const inKeys = jwks === undefined ? undefined : keySetProblem(jwks)
    const inUrl = jwksUrl === undefined ? undefined : outboundUrlProblem(jwksUrl, kernel.config.egressAllow)
    const member = inKeys ? 'jwks' : 'jwksUrl'
    const message = inKeys ?? inUrl
    const target = `softwareStatements.trustedIssuers.${at}.${member}`
    return message ? [{ code: 'INVALID_VALUE', target, message }] : []
  })
  return [...nobody, ...unusable]
}

async function change(context: Context, policy: ClientRegistrationPolicy | null): Promise<Reply> {
  const { kernel, environment, now } = context
  await kernel.environments.configure(environment.id, 'change-client-registration-policy', now, function* (changes) {
    if (policy) yield putClientRegistrationPolicy(environment.id, JSON.stringify(policy), now)
    else yield* remove('client_registration_policies', { environment_id: environment.id })
    yield context.record({
      subject: { type: 'ENVIRONMENT', id: environment.id },
      detail: {
        mode: policy?.mode ?? 'OFF',
        clientIdMetadataDocuments: policy?.clientIdMetadataDocuments.enabled ?? false,
      },
    })
    changes.push({ kind: 'snapshot' })
  })
  return { status: 200, body: policyBody(context, policy ?? defaultClientRegistrationPolicy, policy ? now : undefined) }
}

const declared = {
  path: '/v1/environments/{environmentId}/clientRegistrationPolicy',
  params: z.object({ environmentId: uuid }),
  surface: 'management',
  tag: 'Client registration',
  source: 'decision D24; RFC 7591; draft-ietf-oauth-client-id-metadata-document',
  extension: true,
  cors: 'none',
  replies: { 200: policyResource },
} as const

const changing = {
  ...declared,
  permission: { kind: 'role', permission: 'orgmgt:update:environment' },
  event: 'CLIENT_REGISTRATION_POLICY.UPDATED',
} as const

export const clientRegistrationPolicyOperations: readonly Operation[] = [
  defineOperation({
    ...declared,
    id: 'readClientRegistrationPolicy',
    method: 'GET',
    summary: 'Read what clients may do that register themselves',
    permission: { kind: 'role', permission: 'orgmgt:read:environment' },
    errors: ['NOT_FOUND'],
    async handle(_, context) {
      const [row] = await context.kernel.storage.read(clientRegistrationPolicyOf(context.environment.id))
      return {
        status: 200,
        body: policyBody(context, clientRegistrationPolicyFrom(row?.document), row?.updated_at),
      }
    },
  }),
  defineOperation({
    ...changing,
    id: 'replaceClientRegistrationPolicy',
    method: 'PUT',
    summary: 'Replace what clients may do that register themselves',
    body: { kind: 'json', schema: nullMeansAbsent(clientRegistrationPolicy) },
    errors: ['NOT_FOUND', 'INVALID_DATA'],
    async handle({ body }, context) {
      const details = problemsOf(context, body)
      if (details.length > 0) throw problem('INVALID_DATA', { details })
      return change(context, body)
    },
  }),
  defineOperation({
    ...changing,
    id: 'resetClientRegistrationPolicy',
    method: 'DELETE',
    summary: 'Let no client register itself any more',
    errors: ['NOT_FOUND'],
    handle: (_, context) => change(context, null),
  }),
]
