/**
 * Group commit: many units, one COMMIT, one sync. Architecture section 5, "Embedded engine".
 *
 * A unit runs at once, in the open group. One that gives up before it changed anything leaves nothing to undo, and most do;
 * so there is a savepoint around each unit only in a *careful* group. When a unit gives up later than that, the group is
 * undone as a whole and run again, carefully. Its units have been told nothing, and a unit may run more than once. With a
 * savepoint around it an insert costs a sixth more: SQLite copies every page before its first change within it.
 *
 * The group is sealed with one COMMIT at the end of the event-loop turn, or, while the sync of an earlier group is in
 * flight, when that returns: there is never more than one sync, and whatever arrives meanwhile shares the next. Only after
 * its sync is a member told its outcome, also one that gave up: what it saw may have been the work of its neighbours, and
 * a loser that loads again must find the winner.
 *
 * After a failed sync nobody knows what the disk holds (the kernel may drop the pages it could not write and report it
 * once), so all writes stop for good. So they do after a failed COMMIT, except on a full disk or a stranger's lock:
 * SQLite has undone the group then, nothing was told to anybody, and the next group may try.
 *
 * Never: an await between the statements of a unit; an outcome told before the sync.
 */
import type { DatabaseSync } from 'node:sqlite'
import { StorageUnavailable, type Unit } from '../port.ts'
import { UnitSteps } from '../unit-steps.ts'
import { passes, translate } from './failures.ts'
import { Statements } from './statements.ts'

/** A unit that waits to hear of its group. */
interface Member {
  /** Runs the unit, perhaps again. Throws only when the whole group is lost. */
  run(isCareful: boolean): 'done' | 'undo'
  /** Tells the outcome of the last run: the group is durable. */
  tell(): void
  /** The group did not become durable. */
  refuse(error: unknown): void
}

interface Group {
  readonly members: Member[]
  /** Whether each unit has a savepoint of its own. */
  isCareful: boolean
}

type Outcome<T> =
  | { readonly value: T }
  | {
      readonly error: unknown
      /** Whether a statement that may have changed something was run before. */
      readonly hasWritten: boolean
    }

/** What the groups are written to. */
export interface GroupTarget {
  /** The only connection that writes. */
  readonly writer: DatabaseSync
  /** Makes every COMMIT so far durable. */
  sync(): Promise<void>
  /** Called between a sync and the next COMMIT: everything committed is durable. */
  durable(): void
}

/** The open group and the one that is being synced. */
export class GroupCommit {
  readonly #target: GroupTarget
  readonly #count: () => void
  readonly #statements: Statements
  readonly #control
  #open: Group | undefined
  #syncing = false
  #held: (() => void)[] | undefined
  #quiet: (() => void) | undefined
  #stopped: StorageUnavailable | undefined

  /** @param count is called for every statement of a unit */
  constructor(target: GroupTarget, count: () => void) {
    const { writer } = target
    this.#target = target
    this.#count = count
    this.#statements = new Statements(writer)
    this.#control = {
      begin: writer.prepare('BEGIN IMMEDIATE'),
      commit: writer.prepare('COMMIT'),
      rollback: writer.prepare('ROLLBACK'),
      enter: writer.prepare('SAVEPOINT unit'),
      leave: writer.prepare('RELEASE unit'),
      undo: writer.prepare('ROLLBACK TO unit'),
    }
  }

  /** Runs a unit in the open group; resolves or rejects as the storage port promises. */
  commit<T>(unit: Unit<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const enter = () => this.#enter(unit, resolve, reject)
      if (this.#held) this.#held.push(enter)
      else enter()
    })
  }

  /**
   * Runs `work` while no group is open and none begins; units that arrive meanwhile wait for it. One call at a time.
   */
  async quietly(work: () => Promise<void>): Promise<void> {
    const held: (() => void)[] = []
    this.#held = held
    try {
      if (this.#open || this.#syncing) await new Promise<void>((resolve) => (this.#quiet = resolve))
      await work()
    } finally {
      this.#held = undefined
      for (const enter of held) enter()
    }
  }

  /** Refuses every further unit; what is under way goes on. */
  stop(reason: StorageUnavailable): void {
    this.#stopped ??= reason
  }

  #enter<T>(unit: Unit<T>, resolve: (value: T) => void, refuse: (error: unknown) => void): void {
    if (this.#stopped) {
      refuse(this.#stopped)
      return
    }
    try {
      const group = this.#begin()
      const member = this.#member(unit, resolve, refuse)
      if (member.run(group.isCareful) === 'undo') this.#runAgain(group, member)
      group.members.push(member)
    } catch (error) {
      refuse(this.#lose(error))
    }
  }

  #member<T>(unit: Unit<T>, resolve: (value: T) => void, refuse: (error: unknown) => void): Member {
    let outcome: Outcome<T>
    return {
      refuse,
      run: (isCareful) => {
        if (isCareful) this.#control.enter.run()
        outcome = this.#attempt(unit)
        if ('value' in outcome) {
          if (isCareful) this.#control.leave.run()
          return 'done'
        }
        // On a full disk, for one, SQLite rolls back the whole transaction by itself.
        if (!this.#target.writer.isTransaction) throw outcome.error
        if (isCareful) {
          this.#control.undo.run()
          this.#control.leave.run()
          return 'done'
        }
        return outcome.hasWritten ? 'undo' : 'done'
      },
      tell: () => {
        if ('value' in outcome) resolve(outcome.value)
        else refuse(translate(outcome.error))
      },
    }
  }

  #attempt<T>(unit: Unit<T>): Outcome<T> {
    let hasWritten = false
    try {
      const steps = new UnitSteps(unit)
      let step = steps.advance()
      while (!step.done) {
        this.#count()
        // A statement that fails is undone by SQLite itself.
        const rows = this.#statements.all(step.value)
        hasWritten ||= !/^\s*SELECT\b/.test(step.value.text)
        step = steps.advance(rows)
      }
      return step
    } catch (error) {
      return { error, hasWritten }
    }
  }

  /** Undoes what the group has done and runs its units again, each in a savepoint, then the one that gave up. */
  #runAgain(group: Group, last: Member): void {
    this.#control.rollback.run()
    this.#control.begin.run()
    group.isCareful = true
    for (const member of group.members) member.run(true)
    last.run(true)
  }

  #begin(): Group {
    if (this.#open) return this.#open
    this.#control.begin.run()
    this.#open = { members: [], isCareful: false }
    setImmediate(() => this.#seal())
    return this.#open
  }

  #seal(): void {
    const group = this.#open
    if (!group || this.#syncing) return
    try {
      this.#control.commit.run()
    } catch (error) {
      this.#lose(error)
      return
    }
    this.#open = undefined
    this.#syncing = true
    this.#target
      .sync()
      .then(() => this.#target.durable())
      .then(
        () => this.#settle(group),
        (error: unknown) => this.#fail(group, error),
      )
  }

  #settle({ members }: Group): void {
    this.#syncing = false
    for (const member of members) member.tell()
    this.#seal()
    this.#whenQuiet()
  }

  /** The sync of a group failed: nobody knows what of it is durable. */
  #fail({ members }: Group, cause: unknown): void {
    this.#syncing = false
    const reason = new StorageUnavailable(
      'The embedded engine stopped all writes, since a commit could not be made durable. Restart the process once the disk is sound.',
      { cause },
    )
    this.stop(reason)
    for (const member of members) member.refuse(reason)
    this.#lose(cause)
  }

  /** Undoes the open group, if SQLite has not already, and tells its members. Returns what they were told. */
  #lose(error: unknown): StorageUnavailable {
    const members = this.#open?.members ?? []
    this.#open = undefined
    const cause = translate(error)
    const outcome =
      cause instanceof StorageUnavailable
        ? cause
        : new StorageUnavailable('A group of units could not be committed', { cause })
    if (!passes(error)) this.stop(outcome)
    try {
      if (this.#target.writer.isTransaction) this.#control.rollback.run()
    } catch {
      this.stop(outcome)
    }
    for (const member of members) member.refuse(outcome)
    this.#whenQuiet()
    return outcome
  }

  #whenQuiet(): void {
    if (this.#open || this.#syncing) return
    this.#quiet?.()
    this.#quiet = undefined
  }
}
