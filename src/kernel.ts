/**
 * What every handler is handed: the ports of a running node, in one record. Made once by `http/node.ts`; nothing here
 * is global, so that tests can run several nodes in one process.
 */
import type { X509Certificate } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import type { HashingPool } from './directory/passwords/pool.ts'
import type { Environments } from './environment/environments.ts'
import type { VolumeEvents } from './events/volume.ts'
import type { ClientDocuments } from './external/client-documents.ts'
import type { Dns } from './external/dns.ts'
import type { Egress } from './external/egress.ts'
import type { Pictures } from './external/pictures.ts'
import type { ProviderDocuments } from './external/provider-documents.ts'
import type { IpIntelligence } from './ip-intelligence.ts'
import type { ApiCalls } from './limits/api-calls.ts'
import type { ClientRefusals } from './limits/client-refusals.ts'
import type { MasterKeys } from './keys/master-key.ts'
import type { Origins } from './site.ts'
import type { Storage } from './storage/port.ts'
import type { World } from './world.ts'

/** The ports of a running node. */
export interface Kernel {
  readonly config: Config
  /** The public origins; in dev with `--port 0` they are known only once the server listens. */
  readonly origins: Origins
  readonly world: World
  readonly storage: Storage
  readonly masterKeys: MasterKeys
  readonly environments: Environments
  readonly passwords: HashingPool
  readonly volumeEvents: VolumeEvents
  readonly clientRefusals: ClientRefusals
  readonly apiCalls: ApiCalls
  /** Key sets and configuration documents of identity providers. */
  readonly providerDocuments: ProviderDocuments
  /** Documents that client ids are the addresses of. */
  readonly clientDocuments: ClientDocuments
  /** Pictures of clients that have registered themselves. */
  readonly pictures: Pictures
  /** The only way out to the network. */
  readonly egress: Egress
  readonly dns: Dns
  /** Whose certificates of clients are believed in environments that name nobody themselves. */
  readonly clientCertificateAuthorities: readonly X509Certificate[]
  /** What is known of the networks that requests come from. */
  readonly ipIntelligence: IpIntelligence
  readonly log: Logger
  /** Looks at the outbox soon: a commit has promised something that somebody waits for. */
  readonly wakeOutbox: () => void
}
