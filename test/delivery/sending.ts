/** What sending is tested with: a node whose clock is set by hand, messages promised to it, and what became of them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Notification, notify } from '../../src/delivery/notification.ts'
import { testWorld, type TestWorld } from '../../src/world.ts'
import { rows } from '../flow-runtime/arrange.ts'
import { type Stile, startStile, type StileOptions } from '../harness/stile.ts'

/** The code in every message: it must never stand in an event or a log. */
export const code = 'CANARY7Q'

/** What became of a message. */
export interface Ending {
  readonly action: string
  readonly reason: string | undefined
}

/** A node that sends. */
export interface Sending {
  readonly stile: Stile
  readonly world: TestWorld
  /** Promises a message in a commit and wakes the outbox, as flows do; the id of its user names it. */
  promise(notification?: Partial<Notification>, environmentId?: string): Promise<string>
  /** Waits for the event that says what became of the message of this user. */
  ending(userId: string): Promise<Ending>
  /** Waits until the outbox is empty. */
  emptied(): Promise<void>
  /** Lets time pass, and looks at what is due then. */
  later(milliseconds: number): Promise<void>
  close(): Promise<void>
}

/** Waits until something holds, at most 5 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 10) {
    assert.ok(waited < 5000, what)
    await pause(10)
  }
}

/** Starts a node. */
export async function startSending(environment: Readonly<Record<string, string>> = {}, options: StileOptions = {}) {
  const world = testWorld()
  const stile = await startStile({ ...options, world, environment: { STILE_LOG_LEVEL: 'silent', ...environment } })
  const { kernel } = stile.node
  const sending: Sending = {
    stile,
    world,
    async promise(notification = {}, environmentId = stile.environmentId) {
      const environment = await kernel.environments.get(environmentId)
      assert.ok(environment)
      const userId = notification.userId ?? randomUUID()
      const whole: Notification = {
        template: 'recovery_code_template',
        to: `${userId}@example.com`,
        userId,
        locales: ['en'],
        variables: { code, 'user.username': 'ada', 'user.name': 'Ada' },
        ...notification,
      }
      await kernel.storage.commit({
        name: 'test.promise',
        *run() {
          yield notify(world, environment, whole, world.now())
        },
      })
      kernel.wakeOutbox()
      return userId
    },
    async ending(userId) {
      const find = () =>
        rows<{ action: string; document: string }>(
          stile,
          'events',
          "actor_user_id = $2 AND action LIKE 'NOTIFICATION%'",
          userId,
        )
      await until('it is noted', async () => (await find()).length > 0)
      const [event] = await find()
      assert.ok(!JSON.stringify(event).includes(code) && !(event?.document ?? '').includes('@'), 'nothing secret')
      return { action: event?.action ?? '', reason: JSON.parse(event?.document ?? '{}').reason as string | undefined }
    },
    emptied: () => until('the outbox is empty', async () => (await rows(stile, 'outbox')).length === 0),
    async later(milliseconds) {
      world.advance(milliseconds)
      await kernel.environments.poll()
      kernel.wakeOutbox()
    },
    close: () => stile.close(),
  }
  return sending
}

/** How a message ended that was sent. */
export const sent: Ending = { action: 'NOTIFICATION.SENT', reason: undefined }

/** How a message ended that was given up. */
export function failed(reason: string): Ending {
  return { action: 'NOTIFICATION.FAILED', reason }
}
