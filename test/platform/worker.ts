/** A worker application with chosen roles, to call the management API as somebody who may do less. */
import assert from 'node:assert/strict'
import { basic, type Stile } from '../harness/stile.ts'

/** A worker and a token of it. */
export interface Worker {
  readonly id: string
  readonly token: string
}

/**
 * Makes a worker that holds roles at the demo environment.
 * @param roles names of built-in roles
 */
export async function workerWith(stile: Stile, name: string, ...roles: readonly string[]): Promise<Worker> {
  const created = await stile.api('POST', '/applications', workerBody(name))
  assert.equal(created.status, 201, created.text)
  const id: string = created.json.id
  for (const role of roles) await giveRole(stile, id, role)
  const { json } = await stile.api('GET', `/applications/${id}/secret`)
  const answer = await stile.send(`/${stile.environmentId}/as/token`, {
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    headers: { authorization: basic(id, json.secret) },
  })
  assert.equal(answer.status, 200, answer.text)
  return { id, token: answer.json.access_token }
}

/** The body of a confidential worker. */
export function workerBody(name: string) {
  return {
    name,
    enabled: true,
    type: 'WORKER',
    protocol: 'OPENID_CONNECT',
    grantTypes: ['CLIENT_CREDENTIALS'],
    tokenEndpointAuthMethod: 'CLIENT_SECRET_BASIC',
  }
}

/** Gives an application a built-in role at the demo environment. */
export async function giveRole(stile: Stile, applicationId: string, roleName: string): Promise<void> {
  const { json } = await stile.api('GET', '/v1/roles')
  const role = json._embedded.roles.find(({ name }: { name: string }) => name === roleName)
  const body = { role: { id: role.id }, scope: { id: stile.environmentId, type: 'ENVIRONMENT' } }
  const answer = await stile.api('POST', `/applications/${applicationId}/roleAssignments`, body)
  assert.equal(answer.status, 201, answer.text)
}
