/**
 * The port on which clients are asked for a certificate: RFC 8705 section 5. It serves what the main port serves. That one
 * never asks, since a browser that is asked bothers its user.
 *
 * Never: a connection refused for its certificate here. Whether it is good is for the client's authentication to say, and
 * most requests need none.
 */
import { constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { idleMilliseconds, limitConnections, serverLimits } from './app.ts'
import { tlsLimits } from './tls-limits.ts'

/** A second port that listens. */
export interface MtlsPort {
  readonly port: number
  close(): Promise<void>
}

/**
 * Opens the port.
 * @param app what it serves, already listening
 */
export async function openMtlsPort(
  app: FastifyInstance,
  { tls, host }: Pick<Config, 'tls' | 'host'>,
  port: number,
): Promise<MtlsPort> {
  if (!tls) throw new Error('a port for certificates needs TLS')
  const server = createServer(
    {
      ...serverLimits,
      cert: readFileSync(tls.cert),
      key: readFileSync(tls.key),
      ...tlsLimits,
      requestCert: true,
      rejectUnauthorized: false,
      // A session that is resumed brings the certificate of the client back, but not those that show who issued it.
      secureOptions: constants.SSL_OP_NO_TICKET,
    },
    (incoming, outgoing) => app.routing(incoming, outgoing),
  )
  server.maxHeadersCount = app.server.maxHeadersCount
  server.setTimeout(idleMilliseconds)
  limitConnections(server, 2)
  for (const listener of app.server.listeners('clientError')) server.on('clientError', listener as () => void)
  await listening(server, port, host)
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}
