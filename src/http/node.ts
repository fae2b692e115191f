/**
 * A running node: opens the ports in their order, mounts the operations, listens, and closes everything in reverse.
 * The command line and the tests start nodes through here.
 */
import type { X509Certificate } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { type Config, ConfigError } from '../config.ts'
import { createHashingPool, type HashingPool } from '../directory/passwords/pool.ts'
import { openEnvironments } from '../environment/environments.ts'
import { openVolumeEvents } from '../events/volume.ts'
import { openClientDocuments } from '../external/client-documents.ts'
import { type Dns, systemDns } from '../external/dns.ts'
import { openEgress } from '../external/egress.ts'
import { openPictures } from '../external/pictures.ts'
import { openProviderDocuments } from '../external/provider-documents.ts'
import { type Jobs, startJobs } from '../jobs/jobs.ts'
import { readIpIntelligence } from '../ip-intelligence.ts'
import type { Kernel } from '../kernel.ts'
import { authoritiesProblem, readCertificates } from '../keys/client-certificate.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import { openApiCalls } from '../limits/api-calls.ts'
import { openClientRefusals } from '../limits/client-refusals.ts'
import { reachUser } from '../oauth/backchannel/reach.ts'
import type { Origins } from '../site.ts'
import { migrate } from '../storage/migrate.ts'
import { openStorage } from '../storage/open.ts'
import type { World } from '../world.ts'
import { buildApp } from './app.ts'
import { type Health, startHealth } from './health.ts'
import { type MtlsPort, openMtlsPort } from './mtls.ts'
import type { Served } from './served.ts'

/** A node that listens. */
export interface Node {
  readonly kernel: Kernel
  readonly app: FastifyInstance
  /** The port it really listens on. */
  readonly port: number
  /** Stops taking requests, finishes those under way, flushes and closes. */
  close(): Promise<void>
}

/** What a node is given that it would else make itself. */
export interface GivenParts {
  /** How names are looked up that somebody claims. */
  readonly dns?: Dns
  /** The hashing pool of several nodes of one process; who made it closes it. */
  readonly passwords?: HashingPool
}

/**
 * Starts a node.
 * @param served what it serves
 * @throws ConfigError, DirectoryLocked, StorageUnavailable, or the error of the socket that could not be opened
 */
export async function startNode(
  config: Config,
  world: World,
  masterKeys: MasterKeys,
  served: Served,
  given: GivenParts = {},
): Promise<Node> {
  const log = pino({ level: config.logLevel })
  const ipIntelligence = readIpIntelligence(config.ipIntelligence)
  const clientCertificateAuthorities = authoritiesOf(config)
  const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDirectory: config.dataDirectory })
  try {
    await migrate(storage, world)
  } catch (error) {
    await storage.close()
    throw error
  }
  const origins: { -readonly [K in keyof Origins]: Origins[K] } = {
    authUrl: config.authUrl,
    apiUrl: config.apiUrl,
    mtlsUrl: config.mtlsUrl,
  }
  const environments = openEnvironments({ storage, world, masterKeys, log })
  const passwords = given.passwords ?? createHashingPool(world)
  const volumeEvents = openVolumeEvents(storage, log)
  const egress = openEgress({ listed: config.egressAllow })
  let jobs: Jobs | undefined
  let mtls: MtlsPort | undefined
  const kernel: Kernel = {
    config,
    origins,
    world,
    storage,
    masterKeys,
    environments,
    passwords,
    volumeEvents,
    clientRefusals: openClientRefusals(),
    apiCalls: openApiCalls(config.apiLimit),
    egress,
    dns: given.dns ?? systemDns,
    ipIntelligence,
    clientCertificateAuthorities,
    providerDocuments: openProviderDocuments(egress, world),
    clientDocuments: openClientDocuments(egress, world),
    pictures: openPictures(egress, world),
    log,
    wakeOutbox: () => jobs?.wakeOutbox(),
  }
  const app = buildApp(kernel, served)
  const close = async (health?: Health) => {
    health?.drain()
    await mtls?.close()
    await app.close()
    await jobs?.stop()
    environments.close()
    await volumeEvents.close()
    if (!given.passwords) await passwords.close()
    await storage.close()
    await health?.close()
  }
  try {
    // Custom domains are known before the first request.
    await environments.poll()
    await app.listen({ host: config.host, port: config.port })
    const port = listeningPort(app)
    if (config.port === 0) followPort(origins, config, port)
    if (config.mtlsPort !== undefined) {
      mtls = await openMtlsPort(app, config, config.mtlsPort)
      if (config.mtlsPort === 0) origins.mtlsUrl = config.mtlsUrl?.replace(/:0$/, `:${mtls.port}`)
    }
    jobs = startJobs(kernel, { 'backchannel.reach': reachUser(kernel) })
    const health =
      config.managementPort === undefined ? undefined : await startHealth(kernel, config.managementPort, config.host)
    log.info({ port }, 'listening')
    return { kernel, app, port, close: () => close(health) }
  } catch (error) {
    await close()
    throw error
  }
}

/** @throws ConfigError when they are no authorities */
function authoritiesOf({ clientCertificateAuthorities, fido2AttestationRoots }: Config): readonly X509Certificate[] {
  const problems = Object.entries({
    STILE_CLIENT_CERTIFICATE_AUTHORITIES: clientCertificateAuthorities,
    STILE_FIDO2_ATTESTATION_ROOTS: fido2AttestationRoots,
  }).flatMap(([name, pem]) => {
    const problem = pem === undefined ? undefined : authoritiesProblem(pem)
    return problem ? [`${name} ${problem}.`] : []
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return readCertificates(clientCertificateAuthorities ?? '') ?? []
}

function listeningPort(app: FastifyInstance): number {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}

/** With `--port 0` the origins are known only now; those that were set by hand stay. */
function followPort(origins: { -readonly [K in keyof Origins]: Origins[K] }, config: Config, port: number): void {
  const assumed = 'http://localhost:0'
  if (config.authUrl === assumed) origins.authUrl = `http://localhost:${port}`
  if (config.mtlsUrl === assumed) origins.mtlsUrl = `http://localhost:${port}`
  if (config.apiUrl === assumed) origins.apiUrl = `http://localhost:${port}`
}
