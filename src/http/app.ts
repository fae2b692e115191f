/**
 * The HTTP server: Fastify with every limit set by hand (security catalogue 4.9: headers 16 KB and 100 lines, address
 * 8 KB, header time 15 s, request time 30 s, 60 s without a byte in either direction, connections by the limit of open
 * files), one body parser of our own, and all failures through the catalogue.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Server, Socket } from 'node:net'
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify'
import { notFound, type Problem, problem, toPingOne } from '../errors/problem.ts'
import type { Kernel } from '../kernel.ts'
import { certificatesOfDomains, targetUnderDomain } from './custom-domain.ts'
import { limitsOfProcess, mostConnections } from './connection-limit.ts'
import { countPipelined } from './pipelining.ts'
import { fail, mount } from './routes.ts'
import type { Served } from './served.ts'
import { tlsLimits } from './tls-limits.ts'

const maximumUrlLength = 8192
/** Of a connection on which something is under way: nobody waits that long, but who reads nothing of an answer does (row O15). */
export const idleMilliseconds = 60_000

/** The limits of every port that serves the operations. */
export const serverLimits = {
  maxHeaderSize: 16_384,
  headersTimeout: 15_000,
  connectionsCheckingInterval: 5_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
}

/** Builds the server; the caller makes it listen. */
export function buildApp(kernel: Kernel, served: Served): FastifyInstance {
  const { tls } = kernel.config
  const options = {
    ...(tls
      ? {
          https: {
            ...serverLimits,
            cert: readFileSync(tls.cert),
            key: readFileSync(tls.key),
            ...tlsLimits,
            SNICallback: certificatesOfDomains(kernel),
          },
        }
      : {}),
    logger: false,
    bodyLimit: 65_536,
    requestTimeout: serverLimits.requestTimeout,
    keepAliveTimeout: serverLimits.keepAliveTimeout,
    connectionTimeout: idleMilliseconds,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    rewriteUrl: (request: IncomingMessage) => targetUnderDomain(kernel, request),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    http: serverLimits,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      // Operations read their query themselves, by the rules of form.ts.
      querystringParser: () => ({}),
    },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      // Fastify refuses what it cannot route before the hook below has looked at the length.
      fail(kernel, [], isTooLong(request) ? problem('URI_TOO_LONG') : error, request, reply)
    },
    clientErrorHandler(error: Error, socket: Socket) {
      if (!socket.writable || (error as { code?: string }).code === 'ECONNRESET') {
        socket.destroy()
        return
      }
      const failure = problem(clientErrorKey((error as { code?: string }).code))
      const body = JSON.stringify(toPingOne(failure, kernel.world.uuid()))
      socket.end(
        `HTTP/1.1 ${failure.entry.status} Error\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      )
    },
  } satisfies FastifyServerOptions & { http: object; https?: object }
  const app = Fastify(options) as unknown as FastifyInstance
  app.server.maxHeadersCount = 100
  limitConnections(app.server, kernel.config.mtlsPort === undefined ? 1 : 2)
  app.removeAllContentTypeParsers()
  // What goes by a pattern Fastify remembers; what falls to the catch-all, a body without a type, is looked up each time.
  for (const type of [/^./, '*'])
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  // Fastify knows it as a method with a body and refuses it before the route can say 405.
  app.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true })
  const isOneTooMany = countPipelined()
  app.addHook('onRequest', (request, reply, done) =>
    done(isOneTooMany(request.raw, reply.raw) ? tooManyAtOnce() : objectionTo(request)),
  )
  app.setErrorHandler((error, request, reply) => fail(kernel, [], error, request, reply))
  app.setNotFoundHandler((request, reply) => fail(kernel, [], notFound(), request, reply))
  mount(app, kernel, served)
  return app
}

/** Sets how many connections a server holds. @param ports how many servers there are */
export function limitConnections(server: Server, ports: number): void {
  const most = mostConnections(limitsOfProcess(), ports)
  if (most !== undefined) server.maxConnections = most
}

/** Operations bring schemas of their own; with this in their place, the compilers of Fastify's schemas are never loaded. */
function noSchemas(): never {
  throw new Error('routes have no schemas of Fastify')
}

function tooManyAtOnce(): Problem {
  return problem('LIMITED', { headers: { 'retry-after': '1' } })
}

/** What is wrong with a request before its operation is known. */
function objectionTo(request: FastifyRequest): Problem | undefined {
  if (isTooLong(request)) return problem('URI_TOO_LONG')
  if (request.headers['content-encoding'] !== undefined) return problem('UNSUPPORTED_MEDIA_TYPE')
  if (!request.url.startsWith('/') || repeatsSingleton(request.raw.rawHeaders)) return problem('INVALID_REQUEST')
  return undefined
}

function isTooLong({ url }: FastifyRequest): boolean {
  return url.length > maximumUrlLength
}

/**
 * Headers that mean something once. Node keeps the first of several and drops the rest, while a proxy in front may have
 * gone by the last (RFC 9110 section 5.3, RFC 9112 section 3.2; rows O06, O23).
 */
const singletons = ['host', 'content-type', 'authorization']

/** @param lines names and values in turn, as they arrived */
function repeatsSingleton(lines: readonly string[]): boolean {
  let seen = 0
  for (let at = 0; at < lines.length; at += 2) {
    const name = lines[at] as string
    if (name.length !== 4 && name.length !== 12 && name.length !== 13) continue
    const singleton = singletons.indexOf(name.toLowerCase())
    if (singleton === -1) continue
    const mark = 1 << singleton
    if ((seen & mark) !== 0) return true
    seen |= mark
  }
  return false
}

function clientErrorKey(code: string | undefined) {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'HEADERS_TOO_LARGE'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'REQUEST_TIMEOUT'
    default:
      return 'INVALID_REQUEST'
  }
}
