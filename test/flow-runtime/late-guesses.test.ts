/**
 * Requests that were taken up before another one succeeded on the same flow, and come to guess only afterwards: they are judged
 * by the flow as it is then, and count as nothing. Otherwise whoever sends a form too often is locked out by their own right
 * password, once the success has forgotten the guesses before it. Rows J11, K02, L11; decision D6.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { MediaType } from '../../src/flow/actions/index.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import type { Storage } from '../../src/storage/port.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import { authenticationClient } from '../platform/device-authentication-client.ts'
import { addressOf, bodyOf, codeSentTo, flowIn, newPersonWithDevices, rows, stateOf } from './arrange.ts'

/** How many codes were sent is another count, which nobody's success forgets. */
const guessed = "subject = $2 AND count > 0 AND kind <> 'code-sending'"

/** More than any counter allows. */
const late = 11

const secretsOf: readonly (readonly [FlowStatus, MediaType])[] = [
  ['USERNAME_PASSWORD_REQUIRED', 'usernamePassword.check'],
  ['PASSWORD_REQUIRED', 'usernamePassword.check'],
  ['MUST_CHANGE_PASSWORD', 'password.reset'],
  ['PASSWORD_EXPIRED', 'password.reset'],
  ['RECOVERY_CODE_REQUIRED', 'password.recover'],
  ['VERIFICATION_CODE_REQUIRED', 'user.verify'],
  ['INVITATION_REQUIRED', 'user.acceptInvite'],
  ['OTP_REQUIRED', 'otp.check'],
]

/** Holds the next guesses back, until all are there and what comes after them is done. */
function holdGuesses(stile: Stile, count: number) {
  const storage = stile.node.kernel.storage as { -readonly [K in keyof Storage]: Storage[K] }
  const { commit } = storage
  const released = Promise.withResolvers<void>()
  let held = 0
  storage.commit = async (unit) => {
    if (unit.name.startsWith('limits.take') && held < count) {
      held += 1
      await released.promise
    }
    return commit.call(storage, unit) as never
  }
  return {
    async allThere() {
      while (held < count) await setImmediate()
    },
    release() {
      storage.commit = commit
      released.resolve()
    },
  }
}

function lateGuesses(engine: string, start: () => Promise<Stile>, stop: () => Promise<void>): void {
  suite(`late guesses, ${engine}`, () => {
    let stile: Stile
    before(async () => {
      stile = await start()
    })
    after(async () => {
      await stile.close()
      await stop()
    })

    /** A right guess succeeds while others wait, which then come to nothing. */
    async function winAlone(userId: string, act: () => Promise<Answer>): Promise<void> {
      const guesses = holdGuesses(stile, late)
      const answers = Array.from({ length: late }, act)
      await guesses.allThere()
      const winner = await act()
      assert.equal(winner.status, 200, winner.text)
      guesses.release()
      for (const answer of await Promise.all(answers)) assert.ok([400, 404].includes(answer.status), answer.text)
      assert.deepEqual(await rows(stile, 'limits', guessed, userId), [])
    }

    for (const [status, action] of secretsOf) {
      test(`${status}: ${action}`, async () => {
        const { browser, flowId, person, code } = await flowIn(stile, status)
        await winAlone(person.id, () => browser.act(flowId, action, bodyOf(action, person, code)))
        assert.equal((await stateOf(stile, flowId)).status, 'COMPLETED')
      })
    }

    test('a stand-alone authentication: otp.check', async () => {
      const person = await newPersonWithDevices(stile)
      const client = authenticationClient(stile)
      const { json } = await client.start(person, { selectedDevice: { id: person.deviceId } })
      const otp = await codeSentTo(stile, addressOf(person))
      await winAlone(person.id, () => client.act(json.id, 'otp.check', { otp }))
      assert.equal((await client.read(json.id)).json.status, 'COMPLETED')
    })
  })
}

lateGuesses('embedded engine', startStile, () => Promise.resolve())

const cluster = await startPostgres()
if ('missing' in cluster) test('late guesses, PostgreSQL', (context) => absent(context, cluster.missing))
else {
  lateGuesses(
    'PostgreSQL',
    async () => startStile({ databaseUrl: await createDemoDatabase(cluster) }),
    () => cluster.stop(),
  )
}
