/**
 * The configuration cache of a node: snapshots of environments and single applications, both bounded, evicted exactly
 * when their environment's change feed says so (architecture section 5 "Snapshot", decision D23).
 *
 * A node polls the feed twice a second, with overlap, since commits arrive out of order. A node whose last good poll is
 * older than 5 s stops issuing and deciding: `requireFresh` throws 503 until it has caught up.
 */
import type { Logger } from 'pino'
import { problem } from '../errors/problem.ts'
import type { CompiledPolicy } from '../flow/policy.ts'
import type { MasterKeys } from '../keys/master-key.ts'
import type { Storage, UnitBody } from '../storage/port.ts'
import { run } from '../storage/port.ts'
import {
  bumpEnvironment,
  environmentChanges,
  environmentOfClient,
  environmentVersions,
  insertEnvironmentChange,
  signOnPolicyVersion,
} from '../storage/sql/environments.ts'
import { applicationOfClientUri } from '../storage/sql/client-registration.ts'
import { activeDomains } from '../storage/sql/custom-domains.ts'
import type { World } from '../world.ts'
import type { Application } from './application.ts'
import { loadEnvironment, policyFrom } from './load.ts'
import { loadApplication } from './load-application.ts'
import { Recent } from './recent.ts'
import type { Environment } from './snapshot.ts'

/** What a configuration commit touched: the snapshot, one application, or the snapshot with the custom domain. */
export type ConfigurationChange =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'domain' }
  | { readonly kind: 'application'; readonly id: string }

/** The custom domain of an environment, while it is active. */
export interface CustomDomain {
  readonly environmentId: string
  readonly domainName: string
  /** Epoch milliseconds: when its certificate or its state last changed. */
  readonly updatedAt: number
}

/** The cache, as handlers use it. */
export interface Environments {
  /** The environment, or undefined when there is none (or it is being deleted). Answers at once when it is cached. */
  get(id: string): Environment | Promise<Environment | undefined>
  /** An application of an environment, whatever its `enabled`. Answers at once when it is cached. */
  application(environmentId: string, id: string): Application | undefined | Promise<Application | undefined>
  /**
   * The application that a client id names: its own id or, of a client that is known by its metadata document, the address
   * of that; whatever its `enabled`. An address costs a read.
   */
  client(environmentId: string, clientId: string): Application | undefined | Promise<Application | undefined>
  /** The environment in which a client id lives (first-edition URLs, decision D16). */
  environmentOfClient(clientId: string): Promise<string | undefined>
  /** The active custom domain that a Host header names, as this node last read them; its port is that of whatever stands in front. */
  customDomain(host: string): CustomDomain | undefined
  /** One version of a policy; the current one comes from the snapshot. */
  policyVersion(environment: Environment, policyId: string, version: number): Promise<CompiledPolicy | undefined>
  /**
   * Commits a change of configuration: the unit's own statements, the next version of the environment, and the change
   * feed, all in one. This node forgets what changed before the answer leaves; others follow within a second.
   */
  configure<T>(
    environmentId: string,
    name: string,
    now: number,
    body: (changes: ConfigurationChange[]) => UnitBody<T>,
  ): Promise<T>
  /** Drops everything of an environment from this node. */
  forget(environmentId: string): void
  /** Throws 503 when this node's configuration may be older than 5 s. */
  requireFresh(now: number): void
  /** Reads the change feed once. */
  poll(): Promise<void>
  close(): void
}

const pollEveryMilliseconds = 500
const overlapMilliseconds = 10_000
const staleAfterMilliseconds = 5_000
/** The change feed is purged after a day; a node that was away for longer than this trusts nothing it has cached. */
const feedKeptMilliseconds = 12 * 3600 * 1000

/** Opens the cache; it polls until closed. */
export function openEnvironments(ports: {
  readonly storage: Storage
  readonly world: World
  readonly masterKeys: MasterKeys
  readonly log: Logger
}): Environments {
  const { storage, world, masterKeys, log } = ports
  const snapshots = new Recent<Environment | Promise<Environment | undefined>>(500)
  /** Snapshots that a change has made old, until the new one is loaded. */
  const outdated = new Recent<Environment>(500)
  const applications = new Recent<Application | Promise<Application | undefined>>(5_000)
  const versions = new Recent<CompiledPolicy>(2_000)
  let lastGoodPoll = world.now()
  let polling: Promise<void> | undefined
  /** By name. Until newer ones are there, requests go by these. */
  let domains: ReadonlyMap<string, CustomDomain> = new Map()
  /** Whether the feed told of a change since the poll that last read them. */
  let haveDomainsChanged = true
  let domainReads = 0
  let newestDomainRead = 0

  const key = (environmentId: string, id: string) => `${environmentId}/${id}`

  /** Loads through the cache; a load that a change overtook is not kept. */
  function through<V extends object>(
    cache: Recent<V | Promise<V | undefined>>,
    at: string,
    load: () => Promise<V | undefined>,
  ) {
    const cached = cache.get(at)
    if (cached !== undefined) return cached
    const loading: Promise<V | undefined> = load().then(
      (value) => {
        if (cache.get(at) === loading) {
          if (value) cache.set(at, value)
          else cache.delete(at)
        }
        return value
      },
      (error: unknown) => {
        if (cache.get(at) === loading) cache.delete(at)
        throw error
      },
    )
    cache.set(at, loading)
    return loading
  }

  function evict(environmentId: string, change: ConfigurationChange): void {
    if (change.kind === 'application') applications.delete(key(environmentId, change.id))
    else {
      const snapshot = snapshots.get(environmentId)
      if (snapshot && !(snapshot instanceof Promise)) outdated.set(environmentId, snapshot)
      snapshots.delete(environmentId)
    }
  }

  function loadSnapshot(environmentId: string): Promise<Environment | undefined> {
    const previous = outdated.get(environmentId)
    outdated.delete(environmentId)
    return loadEnvironment(storage, masterKeys, environmentId, previous)
  }

  function forget(environmentId: string): void {
    snapshots.delete(environmentId)
    outdated.delete(environmentId)
    applications.deletePrefix(`${environmentId}/`)
  }

  /** Reads them; a read that a later one has overtaken is not kept. */
  async function readDomains(): Promise<void> {
    const read = ++domainReads
    const rows = await storage.read(activeDomains())
    if (read < newestDomainRead) return
    newestDomainRead = read
    domains = new Map(
      rows.map(({ environment_id: environmentId, domain_name: domainName, updated_at: updatedAt }) => [
        domainName,
        { environmentId, domainName, updatedAt },
      ]),
    )
  }

  /** The version up to which the feed of each environment was applied here. */
  const applied = new Map<string, number>()

  async function readFeed(): Promise<void> {
    const started = world.now()
    if (started - lastGoodPoll > feedKeptMilliseconds) {
      snapshots.clear()
      outdated.clear()
      applications.clear()
      applied.clear()
      haveDomainsChanged = true
    }
    for (const row of await storage.read(environmentVersions(lastGoodPoll - overlapMilliseconds))) {
      const known = applied.get(row.id)
      if (row.deleted_at !== null || known === undefined) {
        forget(row.id)
        if (known !== row.version) haveDomainsChanged = true
      } else if (known < row.version) {
        for (const { kind, object_id: id } of await storage.read(environmentChanges(row.id, known))) {
          evict(row.id, kind === 'application' ? { kind, id } : { kind })
          if (kind === 'domain') haveDomainsChanged = true
        }
      }
      applied.set(row.id, row.version)
    }
    if (haveDomainsChanged) await readDomains()
    haveDomainsChanged = false
    lastGoodPoll = started
  }

  const poll = () => {
    polling ??= readFeed()
      .catch((error: unknown) => log.error({ err: error }, 'the configuration feed could not be read'))
      .finally(() => {
        polling = undefined
      })
    return polling
  }
  const timer = setInterval(() => void poll(), pollEveryMilliseconds)
  timer.unref()

  const application = (environmentId: string, id: string) =>
    through(applications, key(environmentId, id), () => loadApplication(storage, masterKeys, environmentId, id))

  async function clientOfUri(environmentId: string, clientUri: string): Promise<Application | undefined> {
    const [row] = await storage.read(applicationOfClientUri(environmentId, clientUri))
    return row && application(environmentId, row.application_id)
  }

  return {
    get: (id) => through(snapshots, id, () => loadSnapshot(id)),
    application,
    client(environmentId, clientId) {
      if (clientId.startsWith('https://')) return clientOfUri(environmentId, clientId)
      // Whoever is known by an address is not known by the id that stands for it here.
      const named = (found: Application | undefined) => (found?.clientId === clientId ? found : undefined)
      const found = application(environmentId, clientId)
      return found instanceof Promise ? found.then(named) : named(found)
    },
    async environmentOfClient(clientId) {
      const [row] = await storage.read(environmentOfClient(clientId))
      return row?.environment_id
    },
    customDomain: (host) => (domains.size === 0 ? undefined : domains.get(host.replace(/:\d{1,5}$/, '').toLowerCase())),
    async policyVersion(environment, policyId, version) {
      const current = environment.policies.get(policyId)
      if (current?.version === version) return current
      const at = `${environment.id}/${policyId}/${version}`
      const cached = versions.get(at)
      if (cached) return cached
      const [row] = await storage.read(signOnPolicyVersion(environment.id, policyId, version))
      if (!row) return undefined
      const policy = policyFrom({ id: policyId, name: row.name, version, actions: row.actions })
      versions.set(at, policy)
      return policy
    },
    async configure(environmentId, name, now, body) {
      const changes: ConfigurationChange[] = []
      const result = await storage.commit({
        name,
        run: function* () {
          changes.length = 0
          const [bumped] = yield* run(bumpEnvironment(environmentId, now))
          if (!bumped) throw problem('NOT_FOUND')
          const value = yield* body(changes)
          for (const change of changes) {
            const objectId = change.kind === 'application' ? change.id : ''
            yield insertEnvironmentChange(
              environmentId,
              { version: bumped.version, kind: change.kind, object_id: objectId },
              now,
            )
          }
          return value
        },
      })
      for (const change of changes) evict(environmentId, change)
      if (changes.some(({ kind }) => kind === 'domain')) await readDomains()
      return result
    },
    forget,
    requireFresh(now) {
      if (now - lastGoodPoll > staleAfterMilliseconds) throw problem('UNAVAILABLE', { headers: { 'retry-after': '1' } })
    },
    poll,
    close: () => clearInterval(timer),
  }
}
