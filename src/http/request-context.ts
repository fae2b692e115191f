/**
 * What a handler knows of its request (contract/operation.ts). What only some operations want is worked out when they ask.
 *
 * A class, since a literal with accessors is put together by the runtime, member by member, for every request: that cost as
 * much as half the rest of the way from the router to the handler.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Actor } from '../access/actor.ts'
import { canonicalMediaType } from '../contract/media-type.ts'
import type { ClientCertificate, Context, Operation } from '../contract/operation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { record } from '../events/record.ts'
import type { Kernel } from '../kernel.ts'
import { type Located, resolveSite, type Site } from '../site.ts'
import { clientAddress } from './client-address.ts'
import { clientCertificate } from './client-certificate.ts'

const anonymous: Actor = { kind: 'anonymous' }
/** Of operations without an environment in their path. */
const nowhere: Located = { id: '', customDomain: undefined }

/** The context of one request. */
export class RequestContext implements Context {
  readonly kernel: Kernel
  readonly now: number
  readonly correlationId: string
  readonly answer: Record<string, string | string[]>
  /** Known once the caller is authenticated. */
  actor: Actor = anonymous
  readonly #operation: Operation
  readonly #request: FastifyRequest
  #environment: Environment | undefined
  #site: Site | undefined
  #certificate: { readonly read: ClientCertificate | undefined } | undefined
  #remoteAddress: string | undefined

  /** @param answer headers that go out with the answer, whatever it is */
  constructor(
    kernel: Kernel,
    operation: Operation,
    request: FastifyRequest,
    { correlationId, answer }: Pick<Context, 'correlationId' | 'answer'>,
  ) {
    this.kernel = kernel
    this.now = kernel.world.now()
    this.correlationId = correlationId
    this.answer = answer
    this.#operation = operation
    this.#request = request
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers
  }

  get method(): string {
    return this.#request.method
  }

  get target(): string {
    return this.#request.originalUrl
  }

  get mediaType(): string | undefined {
    return canonicalMediaType(this.headers['content-type'])
  }

  get remoteAddress(): string {
    this.#remoteAddress ??= clientAddress(
      this.#request.socket.remoteAddress ?? '',
      joined(this.headers['x-forwarded-for']),
      this.kernel.config.trustedProxies,
    )
    return this.#remoteAddress
  }

  get certificate(): ClientCertificate | undefined {
    this.#certificate ??= { read: clientCertificate(this.#request.socket, this.headers, this.kernel.config) }
    return this.#certificate.read
  }

  /** Throws for operations without one. */
  get environment(): Environment {
    if (!this.#environment) throw new Error(`${this.#operation.id} has no environment in its path`)
    return this.#environment
  }

  get site(): Site {
    this.#site ??= resolveSite(this.kernel.origins, this.#environment ?? nowhere)
    return this.#site
  }

  readonly record: Context['record'] = (event) => {
    const action = event.action ?? this.#operation.event
    if (!action) throw new Error(`${this.#operation.id} declares no event`)
    const { kernel, now, correlationId, remoteAddress, actor } = this
    const environmentId = this.#environment?.id ?? ''
    return record(
      { world: kernel.world, now, environmentId, correlationId, remoteAddress, actor },
      { ...event, action },
    )
  }

  /** The environment of the path, once it is found. */
  enter(environment: Environment): void {
    this.#environment = environment
  }
}

function joined(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
