/**
 * Operations -> routes: found by path, then dispatched by method and media type. Every request passes the same numbered
 * steps, so that no operation can forget one.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { authenticate } from '../access/bearer.ts'
import { parseForm, parseFormBody } from '../contract/form.ts'
import { parseJson } from '../contract/json.ts'
import type { Body, Operation, Surface } from '../contract/operation.ts'
import { parseOrRefuse } from '../contract/validation.ts'
import type { Environment } from '../environment/snapshot.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'
import { pageHeaders } from '../pages/headers.ts'
import { authorize } from './authorize.ts'
import { anyOrigin, preflight, unjudged } from './cors.ts'
import { kernelUnderDomain } from './custom-domain.ts'
import type { Found } from './paths.ts'
import { RequestContext } from './request-context.ts'
import { operationLookup, type Served } from './served.ts'
import { allowedMethods, selectOperation, wrongMediaType } from './select.ts'
import { baseHeaders, toProblem, type Written, writeProblem, writeReply } from './reply.ts'
import { refuseSpeculative } from './speculative.ts'

/** How large a body may be, in bytes: in the management API, and anywhere else. */
const bodyLimits = { '/v1/*': 1_048_576, '*': 65_536 } as const
/** Methods that are told what a resource answers; of any other, Stile does not know what it means (404). */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY']
const nothing = Buffer.alloc(0)

/** Mounts every operation. */
export function mount(app: FastifyInstance, kernel: Kernel, served: Served): void {
  const find = operationLookup(served)
  for (const [url, bodyLimit] of Object.entries(bodyLimits)) {
    app.route({
      method: methods,
      url,
      bodyLimit,
      exposeHeadRoute: false,
      errorHandler: (failure, request, reply) => void refuseUnread(kernel, find(request.url), failure, request, reply),
      async handler(request, reply) {
        const found = find(request.url)
        const group = found instanceof Promise ? await found : found
        if (group) await dispatch(kernelUnderDomain(kernel, request.headers.host), group, request, reply)
        else fail(kernel, [], notFound(), request, reply)
      },
    })
  }
}

/** Refuses a request that Fastify does not hand over. */
async function refuseUnread(
  kernel: Kernel,
  found: ReturnType<ReturnType<typeof operationLookup>>,
  failure: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  // Where the operations of the path could not be loaded, that is what is told.
  const group = await Promise.resolve(found).then(
    (there) => there?.value ?? [],
    () => [],
  )
  // Fastify finds a Content-Type that is no media type at all before anybody is asked.
  const isNoMediaType = failure.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
  fail(kernel, group, isNoMediaType ? wrongMediaType(surfaceOf(group), request) : failure, request, reply)
}

async function dispatch(
  kernel: Kernel,
  { value: group, params }: Found<readonly Operation[]>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const correlationId = kernel.world.uuid()
  const answer = answerHeaders(kernel, correlationId)
  let operation: Operation | undefined
  let written: Written
  try {
    if (request.method === 'OPTIONS') {
      written = answerPreflight(group, request, answer)
    } else {
      operation = selectOperation(group, request)
      if (operation.cors === 'any') setHeaders(answer, anyOrigin)
      refuseSpeculative(operation, request.headers)
      written = await perform(kernel, operation, params, request, correlationId, answer)
    }
  } catch (error) {
    if (!operation) setHeaders(answer, unjudged(group, request.method, request.headers))
    written = refuse(kernel, operation?.surface ?? surfaceOf(group), error, request, correlationId, answer)
  }
  send(reply, written, answer)
}

/** How the failures of a path are rendered before it is known which of its operations is meant; of no path, as JSON. */
function surfaceOf(group: readonly Operation[]): Surface {
  return group[0]?.surface ?? 'management'
}

function answerHeaders({ origins }: Kernel, correlationId: string): Record<string, string | string[]> {
  return baseHeaders(correlationId, origins.authUrl.startsWith('https:'))
}

/** Writes a failure as its surface wants it, and puts the headers that go with it into `answer`. */
function refuse(
  kernel: Kernel,
  surface: Surface,
  error: unknown,
  request: FastifyRequest,
  correlationId: string,
  answer: Record<string, string | string[]>,
): Written {
  const failure = toProblem(error, kernel.log, correlationId)
  const page = asPage(surface, request)
  setHeaders(answer, failure.headers)
  if (page) setHeaders(answer, pageHeaders({ formActions: [] }))
  return writeProblem(page ? 'page' : surface === 'page' ? 'management' : surface, failure, correlationId)
}

/**
 * Writes the answer past Fastify's own reply, which copies every header, lower-cases its name again, and looks for hooks,
 * trailers and streams that no answer here has: a thirtieth of a token request.
 */
function send(
  reply: FastifyReply,
  { status, contentType, payload }: Written,
  answer: Record<string, string | string[]>,
): void {
  const length = payload === undefined ? 0 : Buffer.byteLength(payload)
  if (contentType) answer['content-type'] = contentType
  // Neither has a body, so neither has a length (RFC 9110 section 8.6).
  if (status !== 204 && status !== 304) answer['content-length'] = String(length)
  // Until here Fastify has the reply: it tells of a header that cannot be sent.
  reply.raw.writeHead(status, answer)
  reply.hijack()
  // A text as long as its bytes is ASCII, which needs no encoding.
  reply.raw.end(payload, length === payload?.length ? 'latin1' : 'utf8')
}

/** Sets headers of the answer; a later value takes the place of an earlier one. */
function setHeaders(
  answer: Record<string, string | string[]>,
  headers: Readonly<Record<string, string | string[]>>,
): void {
  for (const name of Object.keys(headers)) answer[name] = headers[name] as string | string[]
}

/** Whether a failure is shown to a person: a page, asked for by something that reads HTML. */
function asPage(surface: Surface, request: FastifyRequest): boolean {
  return surface === 'page' && (request.headers.accept ?? '').includes('text/html')
}

function answerPreflight(
  group: readonly Operation[],
  { headers }: FastifyRequest,
  answer: Record<string, string | string[]>,
): Written {
  setHeaders(answer, preflight(group, headers) ?? { allow: allowedMethods(group) })
  return { status: 204, contentType: undefined, payload: undefined }
}

async function perform(
  kernel: Kernel,
  operation: Operation,
  rawParams: Readonly<Record<string, string>>,
  request: FastifyRequest,
  correlationId: string,
  answer: Record<string, string | string[]>,
): Promise<Written> {
  // 1. One moment for the whole request; a node that lost touch with its configuration decides nothing (D23).
  const context = new RequestContext(kernel, operation, request, { correlationId, answer })
  if (!operation.servesWhenStale) kernel.environments.requireFresh(context.now)

  // 2. Who calls: before anything tells whether an object exists.
  const { permission } = operation
  if (permission.kind !== 'public') {
    context.actor = await authenticate(context)
    kernel.apiCalls.count(context.actor, context.now)
  }

  // 3. Path and environment.
  const params = operation.params?.safeParse(rawParams)
  if (params && !params.success) throw notFound()
  const environmentId = rawParams['environmentId']
  let environment: Environment | undefined
  if (environmentId !== undefined) {
    const found = kernel.environments.get(environmentId)
    environment = found instanceof Promise ? await found : found
    if (environment) context.enter(environment)
  }

  // 4. Permission, before anything tells whether the environment exists (row N02).
  if (permission.kind === 'role') await authorize(kernel, permission, context.actor, environment, rawParams)
  if (environmentId !== undefined && !environment) throw notFound()

  // 5. Query and body.
  const { target } = context
  const question = target.indexOf('?')
  const query = operation.query ? readQuery(operation, question === -1 ? '' : target.slice(question + 1)) : {}
  const body = operation.body ? readBody(operation.body, (request.body as Buffer | undefined) ?? nothing) : undefined

  // 6. The handler.
  const input = { params: (params?.data ?? {}) as never, query: query as never, body: body as never }
  const handling = operation.handle(input, context)
  const reply = handling instanceof Promise ? await handling : handling

  // 7. The answer.
  if (reply.headers) setHeaders(answer, reply.headers)
  return writeReply(operation, reply, kernel.config.mode === 'dev', kernel.log)
}

function readBody(body: Body<unknown>, bytes: Buffer): unknown {
  if (body.kind === 'form') return parseFormBody(bytes)
  const json = parseJson(bytes)
  return body.judgedBy === 'handler' ? json : parseOrRefuse(body.schema, json)
}

function readQuery(operation: Operation, text: string): unknown {
  const { values, repeated } = parseForm(text)
  if (repeated.length > 0) throw invalidData('INVALID_PARAMETER', repeated[0] as string, 'must not be repeated')
  return operation.query ? parseOrRefuse(operation.query, { ...values }) : {}
}

/**
 * Answers failures that Fastify finds before the handler runs, such as a body over its limit.
 * @param group the operations of the path; none where no path was found
 */
export function fail(
  kernel: Kernel,
  group: readonly Operation[],
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const correlationId = kernel.world.uuid()
  const answer = answerHeaders(kernel, correlationId)
  setHeaders(answer, unjudged(group, request.method, request.headers))
  // Fastify ends the connection where it has not read the whole body.
  const connection = reply.getHeader('connection')
  if (typeof connection === 'string') answer['connection'] = connection
  send(reply, refuse(kernel, surfaceOf(group), error, request, correlationId, answer), answer)
}
