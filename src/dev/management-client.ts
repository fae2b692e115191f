/** The management API as the demo environment calls it: in process, as a worker application, like any other client. */
import type { FastifyInstance } from 'fastify'

/** An object of the management API. */
export type ApiObject = Readonly<Record<string, unknown>> & { readonly id: string }

/** Calls the management API with a bearer token. */
export class ManagementClient {
  readonly #app: FastifyInstance
  readonly #token: string

  constructor(app: FastifyInstance, token: string) {
    this.#app = app
    this.#token = token
  }

  /**
   * One call.
   * @throws Error with the answer when it is not a success
   */
  async call(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    mediaType = 'application/json',
  ): Promise<ApiObject> {
    const answer = await this.#app.inject({
      method,
      url: `/v1${path}`,
      headers: { authorization: `Bearer ${this.#token}`, ...(body ? { 'content-type': mediaType } : {}) },
      ...(body ? { payload: JSON.stringify(body) } : {}),
    })
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${answer.payload}`)
    return answer.statusCode === 204 ? { id: '' } : answer.json<ApiObject>()
  }

  /** The members of a collection's first page. */
  async list(path: string, key: string): Promise<readonly ApiObject[]> {
    const page = await this.call('GET', path)
    return (page['_embedded'] as Record<string, readonly ApiObject[]>)[key] ?? []
  }
}

/** Gets a worker token in process. */
export async function workerToken(
  app: FastifyInstance,
  environmentId: string,
  clientId: string,
  clientSecret: string,
): Promise<string> {
  const answer = await app.inject({
    method: 'POST',
    url: `/${environmentId}/as/token`,
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: 'grant_type=client_credentials',
  })
  const token = answer.json<{ access_token?: string }>().access_token
  if (!token) throw new Error(`the worker application got no token: ${answer.payload}`)
  return token
}
