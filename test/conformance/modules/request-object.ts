/** Modules that send the request in an object, by value or by reference. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { requestObject, type Signer } from '../../oauth/request-objects.ts'
import { authorizationUrl, authorize, type Changes, type Request } from '../suite/flow.ts'
import { redirectUri, type RegisteredClient, registerClient, serverConfiguration } from '../suite/relying-party.ts'
import type { Module, Run } from '../suite/run.ts'

/** Without what vouches for it: what nobody has signed nobody can vouch for. */
const unsigned = { iss: undefined, aud: undefined, iat: undefined, exp: undefined }

/** What stays beside an object, since RFC 6749 and OpenID Connect demand it there. */
const beside = ({ client_id = '', response_type = '', scope = '' }: Request): Request => ({
  client_id,
  response_type,
  scope,
})

/** AbstractOIDCCRequestObjectServerTest: an object without a signature, by value. */
function byValue(run: Run, more: Request = {}): Changes {
  return {
    send: async (request, client) => {
      const object = await requestObject(run.suite.stile, client, 'none', { ...unsigned, ...request })
      return run.browser.open(authorizationUrl(run, { ...beside(request), ...more, request: object }))
    },
  }
}

/** OIDCCUnsignedRequestObjectSupportedCorrectlyOrRejectedAsUnsupported. */
export const unsignedRequestObject: Module = async (run) => {
  await requireUnsignedObjects(run)
  assert.equal((await serverConfiguration(run)).json.request_parameter_supported, true)
  await authorize(run, byValue(run))
}

/** OIDCCEnsureRequestObjectWithRedirectUri: what the object says wins over what is beside it. */
export const requestObjectWithRedirectUri: Module = async (run) => {
  await requireUnsignedObjects(run)
  await authorize(run, byValue(run, { redirect_uri: `${redirectUri}/invalid` }))
}

/** Skips a module where discovery says that objects have to be signed. */
async function requireUnsignedObjects(run: Run): Promise<void> {
  const { json } = await serverConfiguration(run)
  if (!json.request_object_signing_alg_values_supported.includes('none')) run.skip('objects have to be signed')
}

/** AbstractOIDCCRequestUriServerTest: a client that has registered the address of its object, where it is found. */
async function byReference(
  run: Run,
  metadata: object,
  sign: (client: RegisteredClient) => [Signer, object],
): Promise<Changes> {
  const { published, stile } = run.suite
  assert.equal((await serverConfiguration(run)).json.request_uri_parameter_supported, true)
  const path = `/requesturi/${randomUUID()}`
  const request_uri = `${published.base}${path}#${randomUUID()}`
  const client = await registerClient(run, { ...metadata, request_uris: [request_uri] })
  const send: Changes['send'] = async (request) => {
    const [signer, claims] = sign(client)
    const body = await requestObject(stile, client, signer, { ...claims, ...request })
    published.documents.set(path, { headers: { 'content-type': 'application/jwt' }, body })
    return run.browser.open(authorizationUrl(run, { ...beside(request), request_uri }))
  }
  return { client, send }
}

/** OIDCCRequestUriUnsigned, and OIDCCRequestUriUnsignedSupportedCorrectlyOrRejectedAsUnsupported. */
export const requestUriUnsigned: Module = async (run) => {
  await requireUnsignedObjects(run)
  await authorize(run, await byReference(run, {}, () => ['none', unsigned]))
}

/** OIDCCRequestUriSignedRS256. */
export const requestUriSignedRs256: Module = async (run) => {
  const { json } = await serverConfiguration(run)
  assert.ok(json.request_object_signing_alg_values_supported.includes('RS256'))
  await authorize(run, await byReference(run, { request_object_signing_alg: 'RS256' }, ({ key }) => [key, {}]))
}
