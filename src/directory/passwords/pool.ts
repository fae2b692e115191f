/**
 * The hashing pool: argon2id in worker threads behind a bounded queue (architecture section 6, R22, R25).
 *
 * Hashing takes every core it gets, so a storm of sign-ons must cost the sign-ons and nothing else: one worker per core
 * but one, a queue with a limit and a deadline, and a refusal that callers turn into 503 with Retry-After. Workers start
 * with the first job, keep no idle process alive, and one that dies takes only its own job along.
 * Never: a hash on the event loop or in the shared thread pool, a password in an error, an unknown user answered faster.
 */
import module from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { World } from '../../world.ts'
import type { Job, JobAnswer } from './jobs.ts'
import type { NormalizedPassword } from './normalize.ts'
import type { ImportedHash } from './imported-hash.ts'
import { type Argon2Cost, currentCost, digestToHash, dummyHash } from './phc.ts'
import { needsRehash, readStoredHash, storedHash } from './stored-hash.ts'

const SALT_BYTES = 16

/** Too many passwords at once. Callers answer 503 with Retry-After. */
export class HashingOverloaded extends Error {
  override readonly name = 'HashingOverloaded'
  /** When to try again, in seconds. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('the password queue is full')
    this.retryAfter = retryAfter
  }
}

/** A job died with its worker, or the pool was closed. Nothing is known about the password. */
export class HashingFailed extends Error {
  override readonly name = 'HashingFailed'
}

/** A stored hash is of a kind, or of a cost, that is never computed. */
export class UnsupportedPasswordHash extends Error {
  override readonly name = 'UnsupportedPasswordHash'
}

/** How large the pool is and how patient its callers are. */
export interface HashingPoolSettings {
  /** Worker threads; default: cores − 1, at least 1. */
  readonly workers?: number
  /** Jobs that may wait; default: 64 for each worker. */
  readonly queueLength?: number
  /** How long a job may wait for a worker, in milliseconds; default: 2000. */
  readonly longestWait?: number
  /** What new hashes cost; default: the current cost. No setting of a server leads here; its tests hash for less. */
  readonly cost?: Argon2Cost
}

/** What becomes of a password that was tried. */
export interface PasswordVerdict {
  readonly matches: boolean
  /** It matches, and its hash should be replaced by a new one of the current cost. */
  readonly needsRehash: boolean
}

/**
 * Everything but `close` rejects with `HashingOverloaded` when the queue is full or the wait too long, and with
 * `HashingFailed` when the worker dies.
 */
export interface HashingPool {
  /** Hashes a new password with a salt of its own; resolves with a PHC string. */
  readonly hash: (password: NormalizedPassword) => Promise<string>
  /** The text under which an imported password is stored: argon2id of its digest, unless it is argon2id already. */
  readonly wrap: (imported: ImportedHash) => Promise<string>
  /**
   * Tries a password.
   * @param hash the stored hash, or null for a user who does not exist or has no password: same time, never a match
   * @throws UnsupportedPasswordHash
   */
  readonly verify: (hash: string | null, password: NormalizedPassword) => Promise<PasswordVerdict>
  /**
   * Whether a new password matches one of the hashes, for the password history.
   * @throws UnsupportedPasswordHash
   */
  readonly matchesAny: (hashes: readonly string[], password: NormalizedPassword) => Promise<boolean>
  /** Whether a new password is commonly used. */
  readonly isCommonlyUsed: (password: NormalizedPassword) => Promise<boolean>
  /** Starts all workers ahead of the first request; resolves with the time one verification takes, in milliseconds. */
  readonly start: () => Promise<number>
  /** Stops the workers. Jobs that have not ended are rejected. */
  readonly close: () => Promise<void>
}

interface Ticket {
  readonly job: Job
  readonly resolve: (answer: JobAnswer) => void
  readonly reject: (error: Error) => void
  deadline?: NodeJS.Timeout
}

interface Member {
  readonly worker: Worker
  current: Ticket | undefined
}

/** Makes a pool. Nothing is started before the first job. */
export function createHashingPool(world: World, settings: HashingPoolSettings = {}): HashingPool {
  const size = settings.workers ?? Math.max(1, availableParallelism() - 1)
  const queueLength = settings.queueLength ?? 64 * size
  const longestWait = settings.longestWait ?? 2000
  const cost = settings.cost ?? currentCost
  const nobodysHash = dummyHash(cost)
  const queue: Ticket[] = []
  const members: Member[] = []
  let closed = false

  function submit(job: Job): Promise<JobAnswer> {
    return new Promise((resolve, reject) => {
      const ticket: Ticket = { job, resolve, reject }
      if (closed) return refuse(ticket, new HashingFailed('the hashing pool is closed'))
      const mustWait = members.length >= size && members.every((member) => member.current)
      if (mustWait && queue.length >= queueLength) return refuse(ticket, overloaded())
      ticket.deadline = setTimeout(() => {
        queue.splice(queue.indexOf(ticket), 1)
        refuse(ticket, overloaded())
      }, longestWait).unref()
      queue.push(ticket)
      dispatch()
    })
  }

  function overloaded(): HashingOverloaded {
    return new HashingOverloaded(Math.max(1, Math.ceil(longestWait / 1000)))
  }

  /** Hands waiting jobs to idle workers, always the oldest worker first, so that a quiet server runs only one. */
  function dispatch(): void {
    while (queue.length > 0) {
      const member = members.find(({ current }) => !current) ?? (members.length < size ? recruit() : undefined)
      const ticket = member && queue.shift()
      if (!ticket) return
      clearTimeout(ticket.deadline)
      member.current = ticket
      member.worker.ref()
      member.worker.postMessage(ticket.job, [ticket.job.password.buffer])
    }
  }

  function recruit(): Member {
    const member: Member = { worker: startWorker(), current: undefined }
    let cause: unknown
    member.worker.on('message', (answer: JobAnswer) => {
      member.current?.resolve(answer)
      member.current = undefined
      member.worker.unref()
      dispatch()
    })
    member.worker.on('error', (error) => {
      cause = error
    })
    member.worker.on('exit', () => {
      members.splice(members.indexOf(member), 1)
      member.current?.reject(new HashingFailed('a hashing worker died', { cause }))
      dispatch()
    })
    members.push(member)
    return member
  }

  async function argon2id(password: Uint8Array<ArrayBuffer>): Promise<string> {
    const hash = await submit({ kind: 'hash', password, salt: world.bytes(SALT_BYTES), cost })
    if (typeof hash !== 'string') throw new HashingFailed('a hashing worker gave no hash')
    return hash
  }

  async function matchesAny(hashes: readonly string[], password: NormalizedPassword): Promise<boolean> {
    const stored = hashes.map((hash) => {
      const read = readStoredHash(hash)
      if (!read) throw new UnsupportedPasswordHash('a stored hash cannot be computed')
      return read
    })
    return (await submit({ kind: 'verify', hashes: stored, password: bytesOf(password) })) === true
  }

  async function verify(hash: string | null, password: NormalizedPassword): Promise<PasswordVerdict> {
    const matched = await matchesAny([hash ?? nobodysHash], password)
    return { matches: matched && hash !== null, needsRehash: matched && hash !== null && needsRehash(hash, cost) }
  }

  return {
    verify,
    matchesAny,
    hash: (password) => argon2id(bytesOf(password)),
    async wrap(imported) {
      if (imported.kind === 'argon2id') return imported.hash
      return storedHash(imported.kdf, await argon2id(digestToHash(imported.digest)))
    },
    async isCommonlyUsed(password) {
      return (await submit({ kind: 'screen', password: bytesOf(password) })) === true
    },
    async start() {
      const nobody = 'nobody' as NormalizedPassword
      await Promise.all(Array.from({ length: size }, () => verify(null, nobody)))
      const before = world.now()
      await verify(null, nobody)
      return world.now() - before
    },
    async close() {
      closed = true
      for (const ticket of queue.splice(0)) {
        clearTimeout(ticket.deadline)
        refuse(ticket, new HashingFailed('the hashing pool is closed'))
      }
      await Promise.all(members.map(({ worker }) => worker.terminate()))
    },
  }
}

/** A small worker without the process's environment, where secrets may be; it shares the compile cache, worth 10 MB. */
function startWorker(): Worker {
  const cache = module.getCompileCacheDir()
  return new Worker(new URL('./worker.ts', import.meta.url), {
    name: 'hashing',
    env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
  })
}

function refuse({ job, reject }: Ticket, error: Error): void {
  job.password.fill(0)
  reject(error)
}

/** The password in a buffer of its own, which can be handed over whole. */
function bytesOf(password: NormalizedPassword): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Buffer.byteLength(password))
  new TextEncoder().encodeInto(password, bytes)
  return bytes
}
