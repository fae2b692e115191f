/**
 * The demo application of `stile dev`: it begins an authorization request and receives the answer of every flow, by
 * query, by fragment and by posted form, redeems the code and shows what came (experience.md, "First run").
 *
 * It redeems only a code that answers a request of its own, so that a code which somebody fetches by hand stays theirs.
 * Never: part of `serve`.
 */
import { z } from 'zod'
import type { FormParameters } from '../contract/form.ts'
import { type Body, type Context, defineOperation, type Operation, type Reply } from '../contract/operation.ts'
import { notFound, problem } from '../errors/problem.ts'
import { serveAssets } from '../pages/assets.ts'
import { pageHeaders } from '../pages/headers.ts'
import { demoStyle, fragmentScript } from './demo-assets.ts'
import { type DemoCheck, type Delivery, renderAnswer, renderFragment } from './demo-page.ts'
import { authorizationUrl, forget, newMemory, recall, remember, type RequestMemory } from './demo-request.ts'
import type { TokenRequest } from './redeem-code.ts'
import { tokenContent } from './token-content.ts'

/** What the demo application has to know of the demo environment. */
export interface DemoFacts {
  readonly environmentId: string
  readonly issuer: string
  readonly singlePageApp: DemoClient
  readonly webApp: DemoClient
  readonly mfaApp: DemoClient
  readonly user: { readonly username: string }
  readonly mfaUser: { readonly username: string }
}

interface DemoClient {
  readonly clientId: string
  readonly clientSecret?: string
  /** `{authUrl}/dev/app/{clientId}/callback` */
  readonly redirectUri: string
}

/**
 * The operations of the demo application.
 * @param facts the demo environment; undefined as long as it is being made
 * @param redeem sends a token request and returns the JSON of the answer
 */
export function demoOperations(
  facts: () => DemoFacts | undefined,
  redeem: (request: TokenRequest) => Promise<unknown>,
): readonly Operation[] {
  const declaration = {
    surface: 'page',
    tag: 'Development',
    source: 'experience.md, "First run"',
    extension: true,
    permission: { kind: 'public' },
    cors: 'none',
    params: z.object({ clientId: z.string() }),
    errors: ['NOT_FOUND', 'UNAVAILABLE'],
  } as const
  const callback = '/dev/app/{clientId}/callback'
  return [
    defineOperation({
      ...declaration,
      id: 'startDemo',
      method: 'GET',
      path: '/dev/app/{clientId}',
      summary: 'Sign on to the demo application',
      query: anyParameters,
      replies: { 302: null },
      handle: ({ params, query }, context) => start(find(facts(), params.clientId), query, context),
    }),
    defineOperation({
      ...declaration,
      id: 'demoCallback',
      method: 'GET',
      path: callback,
      summary: 'The demo application receives an answer by query or fragment',
      query: anyParameters,
      replies: { 200: null },
      handle({ params, query }, context) {
        const demo = find(facts(), params.clientId)
        if (Object.keys(query).length === 0) return page(renderFragment(demo.client.redirectUri))
        return receive(demo, 'query', query, redeem, context)
      },
    }),
    defineOperation({
      ...declaration,
      id: 'demoCallbackForm',
      method: 'POST',
      path: callback,
      summary: 'The demo application receives an answer by posted form',
      body: anyForm,
      replies: { 200: null },
      handle: ({ params, body }, context) =>
        receive(find(facts(), params.clientId), 'posted form', body.values, redeem, context),
    }),
    serveAssets('readDemoAsset', '/dev/assets', [demoStyle, fragmentScript]),
  ]
}

const anyParameters = z.object({}).catchall(z.string())
const anyForm: Body<FormParameters> = { kind: 'form', schema: anyParameters }

interface Demo {
  readonly facts: DemoFacts
  readonly client: DemoClient
}

function find(facts: DemoFacts | undefined, clientId: string): Demo {
  if (!facts) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' } })
  const client = [facts.singlePageApp, facts.webApp, facts.mfaApp].find((candidate) => candidate.clientId === clientId)
  if (!client) throw notFound()
  return { facts, client }
}

function start({ facts, client }: Demo, wishes: Readonly<Record<string, string>>, context: Context): Reply {
  const memory = newMemory(context.kernel.world)
  const { clientId, redirectUri } = client
  const { username: loginHint } = client === facts.mfaApp ? facts.mfaUser : facts.user
  const request = { clientId, redirectUri, issuer: facts.issuer, loginHint, wishes }
  return {
    status: 302,
    headers: { location: authorizationUrl(request, memory), 'set-cookie': remember(memory, redirectUri) },
  }
}

async function receive(
  demo: Demo,
  delivery: Delivery,
  parameters: Readonly<Record<string, string>>,
  redeem: (request: TokenRequest) => Promise<unknown>,
  context: Context,
): Promise<Reply> {
  const { facts, client } = demo
  const memory = recall(context.headers.cookie, parameters['state'])
  const { code } = parameters
  const redeemed = code && memory ? await redeem(tokenRequest(demo, code, memory)) : undefined
  const members = typeof redeemed === 'object' && redeemed !== null ? { ...redeemed } : undefined
  const idToken = idTokenIn(parameters, members)
  const html = renderAnswer({
    delivery,
    parameters,
    redeemed: members,
    checks: checks(facts, parameters, members, memory),
    startUrl: client.redirectUri.slice(0, -'/callback'.length),
    singlePage: client !== facts.webApp,
    signOffUrl: idToken && `${facts.issuer}/signoff?id_token_hint=${idToken}`,
  })
  return page(html, memory && { 'set-cookie': forget(memory, client.redirectUri) })
}

function page(html: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, html, headers: { ...pageHeaders({ formActions: ["'self'"] }), ...headers } }
}

function tokenRequest({ facts, client }: Demo, code: string, { verifier }: RequestMemory): TokenRequest {
  const { clientId, clientSecret, redirectUri } = client
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
  const { environmentId } = facts
  if (clientSecret === undefined) {
    return { environmentId, form: { ...form, client_id: clientId }, authorization: undefined }
  }
  const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  return { environmentId, form, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

function idTokenIn(
  parameters: Readonly<Record<string, string>>,
  redeemed: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const idToken = redeemed?.['id_token'] ?? parameters['id_token']
  return typeof idToken === 'string' ? idToken : undefined
}

function checks(
  { issuer }: DemoFacts,
  parameters: Readonly<Record<string, string>>,
  redeemed: Readonly<Record<string, unknown>> | undefined,
  memory: RequestMemory | undefined,
): readonly DemoCheck[] {
  const idToken = idTokenIn(parameters, redeemed)
  const claims = idToken && tokenContent(idToken)?.claims
  return [
    memory
      ? { passed: true, text: 'The state is that of a request this browser made.' }
      : {
          passed: false,
          text: 'The state belongs to no request that this browser has open here. A real application refuses the answer; this one shows it and leaves its code alone.',
        },
    ...(parameters['iss'] === undefined
      ? []
      : [{ passed: parameters['iss'] === issuer, text: 'The answer comes from the issuer that was asked.' }]),
    ...(claims && memory
      ? [{ passed: claims['nonce'] === memory.nonce, text: 'The ID token was made for this request (nonce).' }]
      : []),
  ]
}
