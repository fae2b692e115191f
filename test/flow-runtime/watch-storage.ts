/** Watches what requests ask of a node's storage, leaving out what its background does, so that a test can say "nothing". */
import type { Kernel } from '../../src/kernel.ts'
import type { Storage } from '../../src/storage/port.ts'

/** What was asked since the watch began, or since it was cleared. */
export interface Watch {
  /** Texts of the statements that were read. */
  readonly reads: readonly string[]
  /** Names of the units that were committed, those that rolled back included. */
  readonly commits: readonly string[]
  clear(): void
  /** Ends the watch. */
  stop(): void
}

/** What runs whenever it likes: the feed of configuration, jobs, the sending of messages, the buffer of volume events. */
const background = {
  reads:
    /FROM (outbox|notifications_settings|notifications_policies|template_contents|leases|environments|environment_changes|custom_domains d\n|data_keys WHERE master)/,
  commits: /^(lease|purge|outbox|take-allowance|environment|data-key|keep-in-inbox)\b|^flush-volume-events$/,
}

/** Begins to watch. */
export function watchStorage({ storage }: Pick<Kernel, 'storage'>): Watch {
  const own = storage as { -readonly [K in keyof Storage]: Storage[K] }
  const { read, commit } = storage
  const reads: string[] = []
  const commits: string[] = []
  own.read = (statement) => {
    if (!background.reads.test(statement.text)) reads.push(statement.text)
    return read.call(storage, statement) as never
  }
  own.commit = (unit) => {
    if (!background.commits.test(unit.name)) commits.push(unit.name)
    return commit.call(storage, unit) as never
  }
  return {
    reads,
    commits,
    clear() {
      reads.length = 0
      commits.length = 0
    },
    stop() {
      own.read = read
      own.commit = commit
    },
  }
}
