/** Kinds of places where an address can be named (url-inputs.ts), each with how it is written and how the server comes to ask there. */
import { randomUUID } from 'node:crypto'
import type { Notification } from '../../src/delivery/notification.ts'
import { sendLogoutToken } from '../../src/delivery/send-logout-token.ts'
import { until } from '../delivery/sending.ts'
import { assign, begin, newApplication, newPolicy } from '../flow-runtime/arrange.ts'
import { leave, ownPath, providerBody } from '../flow-runtime/external.ts'
import { signedJwt } from '../harness/openid-provider.ts'
import { Browser, pkce } from '../harness/sign-on.ts'
import type { Answer } from '../harness/stile.ts'
import { assertion, assertionType } from '../oauth/assertions.ts'
import { codeRequest } from '../oauth/journeys.ts'
import { registering, webClient } from '../oauth/registering.ts'
import { web } from '../oauth/registrations.ts'
import type { AskingNode } from './asking-node.ts'

/** Such a place. */
export interface UrlInput {
  readonly name: string
  /** What it is called by a refusal when it is written. */
  readonly member?: string
  /** Writes it; a place that is written by nobody comes with the request that makes the server ask. */
  readonly write?: (node: AskingNode, url: string) => Promise<Answer>
  /** Has the server ask there. @returns what whoever brought that about is told */
  readonly ask: (node: AskingNode, url: string) => Promise<Answer | undefined>
  /** It is the name of a server, not an address of the web. */
  readonly isHost?: true
  /** The server reads it and never asks there. */
  readonly isNeverAsked?: true
}

export const redirectUri = 'https://app.test/cb'

/** A token request of a client that signs by a key it publishes. */
export async function byPublishedKey({ stile, key }: AskingNode, clientId: string): Promise<Answer> {
  const grant = { grant_type: 'authorization_code', code: 'x', redirect_uri: redirectUri }
  const signed = { client_assertion_type: assertionType, client_assertion: await assertion(stile, clientId, key) }
  return stile.send(`/${stile.environmentId}/as/token`, { body: new URLSearchParams({ ...grant, ...signed }) })
}

/** An authorization request by reference. */
export function byReference(
  { stile }: AskingNode,
  clientId: string,
  url: string,
  redirect = redirectUri,
): Promise<Answer> {
  const request = codeRequest({ clientId, clientSecret: '', redirectUri: redirect }, { request_uri: url })
  return new Browser(stile).authorize({ ...request, code_challenge: pkce().challenge, code_challenge_method: 'S256' })
}

/** Tells a client that a session is over. */
export async function tell({ stile, sending }: AskingNode, clientId: string): Promise<undefined> {
  const attempt = {
    environmentId: stile.environmentId,
    id: randomUUID(),
    payload: JSON.stringify({ clientId, userId: stile.user.id, sessionId: 's1' }),
    createdAt: sending.world.now(),
    attempts: 1,
  }
  await sendLogoutToken(stile.node.kernel)(attempt, new AbortController().signal)
}

export const logo = ({ stile }: AskingNode, clientId: string) =>
  stile.send(`/${stile.environmentId}/as/logo/${clientId}`)

type Members = (url: string) => object
type AskClient = (node: AskingNode, clientId: string, url: string) => Promise<Answer | undefined>

/** A member of an application. */
export function application(member: string, members: Members, ask: AskClient): UrlInput {
  const write = ({ stile }: AskingNode, url: string) =>
    stile.api('POST', '/applications', { ...web, name: `Application ${randomUUID()}`, ...members(url) })
  return {
    name: `${member} of an application`,
    member,
    write,
    async ask(node, url) {
      const written = await write(node, url)
      return written.status === 201 ? ask(node, written.json.id, url) : written
    },
  }
}

/** A member of a client that registers itself. */
export function registration(member: string, members: Members, ask: AskClient): UrlInput {
  const write = ({ stile }: AskingNode, url: string) => registering(stile, { ...webClient, ...members(url) })
  return {
    name: `${member} of a client that registers itself`,
    member,
    write,
    async ask(node, url) {
      const written = await write(node, url)
      return written.status === 201 ? ask(node, written.json.client_id, url) : written
    },
  }
}

/** A member of a document that describes a client. */
export function inDocument(member: string, members: Members, ask: AskClient, isNeverAsked?: true): UrlInput {
  const clientId = (node: AskingNode, url: string) => {
    const address = `https://client.test/${randomUUID()}`
    const redirect_uris = ['https://client.test/cb']
    node.serve(address, { client_id: address, client_name: 'Reader', redirect_uris, ...members(url) })
    return address
  }
  const authorizing = (node: AskingNode, id: string) =>
    new Browser(node.stile).authorize(
      codeRequest(
        { clientId: id, clientSecret: '', redirectUri: 'https://client.test/cb' },
        { code_challenge: pkce().challenge, code_challenge_method: 'S256' },
      ),
    )
  return {
    name: `${member} of a client id metadata document`,
    ...(isNeverAsked ? { isNeverAsked } : { member: 'document' }),
    ...(isNeverAsked ? {} : { write: (node: AskingNode, url: string) => authorizing(node, clientId(node, url)) }),
    async ask(node, url) {
      const id = clientId(node, url)
      await authorizing(node, id)
      return ask(node, id, url)
    },
  }
}

/** A member of an identity provider. */
export function provider(member: string, isNeverAsked?: true): UrlInput {
  const body = (url: string) =>
    providerBody('https://idp.test', 'secret', member.startsWith('in ') ? {} : { [member]: url })
  return {
    name: `${member} of an identity provider`,
    ...(isNeverAsked
      ? { isNeverAsked }
      : { member, write: ({ stile }, url) => stile.api('POST', '/identityProviders', body(url)) }),
    async ask(node, url) {
      const { stile, key } = node
      const issuer = `https://${randomUUID()}.test`
      const discoveryEndpoint = `${issuer}/discovery`
      const { id, client } = await node.once(`${member} of a provider`, async () => {
        const created = await stile.api('POST', '/identityProviders', providerBody('https://idp.test', 'secret'))
        const application = await newApplication(stile)
        const login = { type: 'LOGIN', socialProviders: [{ id: created.json.id }] } as const
        await assign(stile, application, await newPolicy(stile, login))
        return { id: created.json.id as string, client: application }
      })
      const kept = member === 'in the discovery document' ? { discoveryEndpoint } : { [member]: url }
      const changed = await stile.api('PUT', `/identityProviders/${id}`, providerBody(issuer, 'secret', kept))
      if (changed.status !== 200) return changed
      const endpoints = [
        'authorization_endpoint',
        'token_endpoint',
        'userinfo_endpoint',
        'jwks_uri',
        'registration_endpoint',
      ]
      node.serve(discoveryEndpoint, { issuer, ...Object.fromEntries(endpoints.map((name) => [name, url])) })
      const browser = new Browser(stile)
      const flowId = await begin(browser, 'pi.flow', { client_id: client })
      const sent = new URL(await leave(browser, flowId, id)).searchParams
      const now = Math.floor(stile.node.kernel.world.now() / 1000)
      const claims = { iss: issuer, aud: 'stile', sub: 'ada', iat: now, exp: now + 60, nonce: sent.get('nonce') }
      const id_token = signedJwt({ alg: 'ES256', kid: 'k' }, claims, key.privateKey)
      node.serve(`${issuer}/jwks`, { keys: [{ ...key.jwk, kid: 'k' }] })
      node.serve(`${issuer}/token`, { access_token: 'at', token_type: 'Bearer', id_token })
      node.serve(`${issuer}/userinfo`, { sub: 'ada' })
      const back = `${sent.get('redirect_uri')}?${new URLSearchParams({ code: 'c', state: sent.get('state') ?? '' })}`
      return browser.send(ownPath(stile, back))
    },
  }
}

/** A member of the settings by which messages go out. */
export function delivery(member: string, path: string, settings: Members, message: Partial<Notification>): UrlInput {
  const isEmail = path.endsWith('/emailDeliverySettings')
  const write = ({ stile }: AskingNode, url: string) => stile.api(isEmail ? 'PUT' : 'POST', path, settings(url))
  return {
    name: `${member} of ${path}`,
    member,
    write,
    async ask(node, url) {
      const written = await write(node, url)
      if (written.status >= 400) return written
      await node.sending.promise(message)
      await until('the provider is asked', () => node.isAsked(url))
      await node.stile.api('DELETE', isEmail ? path : `${path}/${written.json.id}`)
      return undefined
    },
  }
}
