/**
 * Requests that race on one flow or one password, on each engine; PostgreSQL with two nodes, half of the requests to each.
 * Rows J08, J10, J11, K36, K02, K03, K11, L10-L12, L17; decision D6. Whatever happens has to be what some order one after the other gives.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import type { HashingPool } from '../../src/directory/passwords/pool.ts'
import { passcodeShown } from '../harness/authenticator-app.ts'
import { Browser } from '../harness/sign-on.ts'
import { createDemoDatabase } from '../harness/demo-template.ts'
import { type Answer, type Stile, startStile } from '../harness/stile.ts'
import { startSecondNode } from '../environment/second-node.ts'
import { absent } from '../storage/absent.ts'
import { startPostgres } from '../storage/postgres-cluster.ts'
import {
  addTotpDevice,
  begin,
  bodyOf,
  codeSentTo,
  enable,
  enableMfa,
  flowIn,
  followInvitation,
  inviteCodeOf,
  newPassword,
  newPerson,
  offeringOf,
  type Person,
  rowOf,
  rows,
  stateOf,
} from './arrange.ts'
import { watchStorage } from './watch-storage.ts'

type Started = () => Promise<{ readonly nodes: readonly Stile[]; readonly stop: () => Promise<void> }>

function races(engine: string, start: Started): void {
  suite(`races on a flow, ${engine}`, () => {
    let nodes: readonly Stile[]
    let stile: Stile
    let stop: () => Promise<void>
    before(async () => {
      const started = await start()
      nodes = started.nodes
      stop = started.stop
      stile = nodes[0] as Stile
    })
    after(() => stop())

    /** Sends many requests at once, in turn to every node; each as a browser of its own with the same cookie. */
    function together(
      count: number,
      cookie: string | undefined,
      send: (browser: Browser, at: number) => Promise<Answer>,
    ): Promise<Answer[]> {
      return Promise.all(
        Array.from({ length: count }, (_, at) => {
          const node = nodes[at % nodes.length] as Stile
          return send(Object.assign(new Browser(node), { cookie }), at)
        }),
      )
    }
    const sessionsOf = ({ id }: Person) => rows<{ id: string }>(stile, 'sessions', 'user_id = $2', id)
    const eventsOf = (flowId: string) => rows<{ action: string }>(stile, 'events', 'subject_id = $2', flowId)
    const signsOn = async (person: Person) => {
      const browser = new Browser(stile)
      const { json } = await browser.act(
        await begin(browser),
        'usernamePassword.check',
        bodyOf('usernamePassword.check', person),
      )
      return json.status === 'COMPLETED'
    }
    const refusedOnly = (answers: readonly Answer[]) => {
      for (const { status, text } of answers) assert.ok(status === 400 || status === 404, `${status} ${text}`)
    }
    const won = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 200)
    const lost = (answers: readonly Answer[]) => answers.filter(({ status }) => status !== 200)

    test('J10: of twenty right passwords exactly one is a transition, a session and an event', async () => {
      for (const door of ['pi.flow', 'redirect', 'pi.flow', 'redirect'] as const) {
        const { browser, flowId, person } = await flowIn(stile, 'USERNAME_PASSWORD_REQUIRED', door)
        const cookie = door === 'redirect' ? browser.cookie : undefined
        const body = bodyOf('usernamePassword.check', person)
        const answers = await together(20, cookie, (one) => one.act(flowId, 'usernamePassword.check', body))
        assert.deepEqual(
          won(answers).map(({ json }) => json.status),
          ['COMPLETED'],
        )
        refusedOnly(lost(answers))
        assert.equal((await rowOf(stile, flowId))?.version, 2)
        assert.equal((await sessionsOf(person)).length, 1)
        assert.deepEqual(
          (await eventsOf(flowId)).map(({ action }) => action),
          ['FLOW.COMPLETED'],
        )
      }
    })

    test('J08: of twenty resumes exactly one gets a code', async () => {
      for (const door of ['pi.flow', 'redirect', 'pi.flow', 'redirect'] as const) {
        const { browser, flowId, person } = await flowIn(stile, 'COMPLETED', door)
        const answers = await together(20, browser.cookie, (one) => one.resume(flowId))
        const codes = answers.filter(({ status, json }) => status === 302 || json.authorizeResponse?.code)
        assert.equal(codes.length, 1)
        for (const { status } of answers.filter((one) => !codes.includes(one))) assert.equal(status, 404)
        assert.equal((await rows(stile, 'authorization_codes', 'user_id = $2', person.id)).length, 1)
        assert.equal((await rowOf(stile, flowId))?.version, 3)
      }
    })

    test('J11: of many new passwords one is taken, and it is the one whose sender was told so', async () => {
      for (const status of ['MUST_CHANGE_PASSWORD', 'PASSWORD_EXPIRED'] as const) {
        const { browser, flowId, person } = await flowIn(stile, status)
        const wanted = Array.from({ length: 8 }, () => newPassword())
        const answers = await together(8, browser.cookie, (one, at) =>
          one.act(flowId, 'password.reset', { currentPassword: person.password, newPassword: wanted[at] }),
        )
        assert.deepEqual(
          won(answers).map(({ json }) => json.status),
          ['COMPLETED'],
        )
        refusedOnly(lost(answers))
        const winner = answers.findIndex((answer) => answer.status === 200)
        assert.ok(await signsOn({ ...person, password: wanted[winner] as string }))
        for (const [at, password] of [person.password, ...wanted].entries()) {
          if (at - 1 !== winner && at < 3) assert.equal(await signsOn({ ...person, password }), false)
        }
      }
    })

    test('J11: of forty that move a flow on at once each follows another, or is told to come again', async () => {
      const { browser, flowId, person } = await flowIn(stile, 'ASSERTION_REQUIRED')
      const before = (await rowOf(stile, flowId))?.version ?? 0
      const body = bodyOf('device.select', person)
      const answers = await together(40, browser.cookie, (one) => one.act(flowId, 'device.select', body))
      assert.equal((await rowOf(stile, flowId))?.version, before + won(answers).length)
      assert.ok(lost(answers).length > 0)
      for (const { status, headers, text } of lost(answers)) {
        assert.equal(status, 503, text)
        assert.equal(headers.get('retry-after'), '1')
      }
    })

    test('K15: of twenty tries with one recovery code one sets its password', async () => {
      const { browser, flowId, person, code } = await flowIn(stile, 'RECOVERY_CODE_REQUIRED')
      const wanted = Array.from({ length: 20 }, () => newPassword())
      const answers = await together(20, browser.cookie, (one, at) =>
        one.act(flowId, 'password.recover', { recoveryCode: code, newPassword: wanted[at] }),
      )
      assert.deepEqual(
        won(answers).map(({ json }) => json.status),
        ['COMPLETED'],
      )
      refusedOnly(lost(answers))
      assert.equal((await sessionsOf(person)).length, 1)
      const winner = answers.findIndex((answer) => answer.status === 200)
      assert.ok(await signsOn({ ...person, password: wanted[winner] as string }))
      assert.equal(await signsOn(person), false)
    })

    test('K16: of forty parallel guesses at a recovery code in several flows five are looked at', async () => {
      const { person } = await flowIn(stile, 'RECOVERY_CODE_REQUIRED')
      const { clients, login } = await offeringOf(stile)
      const flows = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const browser = new Browser(stile)
          const flowId = await begin(browser, 'pi.flow', { client_id: clients['pi.flow'], acr_values: login })
          await browser.act(flowId, 'password.forgot', { username: person.username })
          return { flowId, cookie: browser.cookie }
        }),
      )
      const guess = { recoveryCode: 'AAAAAAAA', newPassword: newPassword() }
      const answers = (
        await Promise.all(
          flows.map(({ flowId, cookie }) => together(10, cookie, (one) => one.act(flowId, 'password.recover', guess))),
        )
      ).flat()
      const codes = answers.map(({ json }) => json.details[0].code)
      assert.equal(codes.filter((code) => code === 'INVALID_VALUE').length, 5)
      assert.equal(codes.filter((code) => code === 'PASSWORD_LOCKED_OUT').length, 35)
    })

    test('L12: of twenty tries with one passcode by e-mail one signs on', async () => {
      const { browser, flowId, code, person } = await flowIn(stile, 'OTP_REQUIRED')
      const answers = await together(20, browser.cookie, (one) => one.act(flowId, 'otp.check', { otp: code }))
      assert.equal(answers.filter(({ json }) => json.status === 'COMPLETED').length, 1)
      assert.equal((await sessionsOf(person)).length, 1)
    })

    test('L17: of twenty tries with one passcode of an app, over four flows, one signs on', async () => {
      const person = await newPerson(stile)
      await enableMfa(stile, person)
      const { secret } = await addTotpDevice(stile, person)
      const { clients, multiFactor } = await offeringOf(stile)
      const flows = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const browser = new Browser(stile)
          const request = { client_id: clients['pi.flow'], acr_values: multiFactor }
          const flowId = await begin(browser, 'pi.flow', request)
          await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
          return { flowId, cookie: browser.cookie }
        }),
      )
      const otp = passcodeShown(secret)
      const answers = await Promise.all(
        flows.map(({ flowId, cookie }) => together(5, cookie, (one) => one.act(flowId, 'otp.check', { otp }))),
      )
      assert.equal(answers.flat().filter(({ json }) => json.status === 'COMPLETED').length, 1)
      assert.equal((await sessionsOf(person)).length, 1)
    })

    test('L10, L11: of forty parallel guesses at a passcode in several flows three are looked at', async () => {
      const { person } = await flowIn(stile, 'OTP_REQUIRED')
      const { clients, multiFactor } = await offeringOf(stile)
      const flows = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const browser = new Browser(stile)
          const request = { client_id: clients['pi.flow'], acr_values: multiFactor }
          const flowId = await begin(browser, 'pi.flow', request)
          await browser.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', person))
          await browser.act(flowId, 'device.select', bodyOf('device.select', person))
          return { flowId, cookie: browser.cookie }
        }),
      )
      const answers = await Promise.all(
        flows.map(({ flowId, cookie }) =>
          together(10, cookie, (one) => one.act(flowId, 'otp.check', { otp: 'no code' })),
        ),
      )
      const codes = answers.flat().map(({ json }) => json.details[0].code)
      assert.equal(codes.filter((code) => code === 'INVALID_OTP').length, 3)
      assert.equal(codes.filter((code) => code === 'LIMIT_EXCEEDED').length, 37)
    })

    test('K31: of twenty registrations of one e-mail address, under as many names, one makes an account', async () => {
      const { clients, login } = await offeringOf(stile)
      const email = `${randomUUID()}@example.com`
      const flows = await Promise.all(
        Array.from({ length: 20 }, () =>
          begin(new Browser(stile), 'pi.flow', { client_id: clients['pi.flow'], acr_values: login }),
        ),
      )
      const answers = await together(20, undefined, (one, at) => {
        const spelling = at % 2 === 0 ? email : email.toUpperCase()
        const body = { username: `new-${randomUUID()}`, email: spelling, password: newPassword() }
        return one.act(flows[at] as string, 'user.register', body)
      })
      assert.equal(won(answers).length, 1)
      for (const { json } of lost(answers)) {
        assert.deepEqual([json.details[0].code, json.details[0].target], ['UNIQUENESS_VIOLATION', 'email'])
      }
      assert.equal((await rows(stile, 'users', 'email_key = $2', email)).length, 1)
    })

    test('K31: of twenty registrations of one name one makes an account; verified twenty times, one signs on', async () => {
      const { clients, login } = await offeringOf(stile)
      const username = `new-${randomUUID()}`
      const body = { username, email: `${username}@example.com` }
      const flows = await Promise.all(
        Array.from({ length: 20 }, () =>
          begin(new Browser(stile), 'pi.flow', { client_id: clients['pi.flow'], acr_values: login }),
        ),
      )
      const browsers: Browser[] = []
      const answers = await together(20, undefined, (one, at) => {
        browsers.push(one)
        return one.act(flows[at] as string, 'user.register', { ...body, password: newPassword() })
      })
      assert.equal(won(answers).length, 1)
      for (const { json } of lost(answers)) assert.equal(json.details[0].code, 'UNIQUENESS_VIOLATION')
      const people = await rows<{ id: string }>(stile, 'users', 'username_key = $2', username)
      assert.equal(people.length, 1)
      const winner = answers.findIndex(({ status }) => status === 200)
      const verificationCode = await codeSentTo(stile, body.email)
      const verified = await together(20, browsers[winner]?.cookie, (one) =>
        one.act(flows[winner] as string, 'user.verify', { verificationCode }),
      )
      assert.deepEqual(
        won(verified).map(({ json }) => json.status),
        ['COMPLETED'],
      )
      refusedOnly(lost(verified))
      assert.equal((await sessionsOf({ id: people[0]?.id ?? '' } as Person)).length, 1)
    })

    test('K36: of thirty acceptances of one invitation, in five flows, one sets the password and signs on', async () => {
      const person = await newPerson(stile, { password: null })
      const code = await inviteCodeOf(stile, person)
      const browsers = Array.from({ length: 5 }, () => new Browser(stile))
      const flowIds = await Promise.all(browsers.map((browser) => followInvitation(browser, code)))
      const wanted = Array.from({ length: 30 }, () => newPassword())
      const answers = await Promise.all(
        wanted.map((password, at) => {
          const node = nodes[at % nodes.length] as Stile
          const one = Object.assign(new Browser(node), { cookie: browsers[at % 5]?.cookie })
          return one.act(flowIds[at % 5] ?? '', 'user.acceptInvite', { inviteCode: code, password, accept: true })
        }),
      )
      assert.deepEqual(
        won(answers).map(({ json }) => json.status),
        ['COMPLETED'],
      )
      refusedOnly(lost(answers))
      const winner = answers.findIndex((answer) => answer.status === 200)
      assert.ok(await signsOn({ ...person, password: wanted[winner] as string }))
      assert.deepEqual(await rows(stile, 'invitations', 'user_id = $2', person.id), [])
      const events = await rows<{ action: string }>(stile, 'events', 'subject_id = $2', person.id)
      assert.equal(events.filter(({ action }) => action === 'USER.INVITATION_ACCEPTED').length, 1)
    })

    test('K36: an acceptance beside what ends the invitation: one order after the other', async () => {
      for (let round = 0; round < 4; round += 1) {
        const { browser, flowId, person, code } = await flowIn(stile, 'INVITATION_REQUIRED')
        const password = newPassword()
        const [accepted, withdrawn] = await Promise.all([
          browser.act(flowId, 'user.acceptInvite', { inviteCode: code, password, accept: true }),
          (nodes.at(-1) as Stile).api('DELETE', `/users/${person.id}/invitation`),
        ])
        assert.deepEqual(
          [accepted.status, withdrawn.status].toSorted(),
          accepted.status === 200 ? [200, 404] : [204, 400],
          `${accepted.text} ${withdrawn.text}`,
        )
        assert.equal(await signsOn({ ...person, password }), accepted.status === 200)
      }
    })

    test('J11: a password check beside a password reset does not save the step that is required', async () => {
      for (let round = 0; round < 4; round++) {
        const { browser, flowId, person } = await flowIn(stile, 'MUST_CHANGE_PASSWORD')
        const answers = await together(8, browser.cookie, (one, at) => {
          const action = at % 2 === 0 ? 'usernamePassword.check' : 'password.reset'
          const body = { ...bodyOf(action, person), ...(at === 1 || at % 2 === 0 ? {} : { currentPassword: 'wrong' }) }
          return one.act(flowId, action, body)
        })
        for (const [at, answer] of answers.entries()) {
          if (at % 2 === 0) assert.ok(answer.status === 400 || answer.status === 404, answer.text)
        }
        const state = await stateOf(stile, flowId)
        assert.equal(won(answers).length, state.status === 'COMPLETED' ? 1 : 0)
        if (state.status === 'COMPLETED') assert.ok(state.trace.some(({ reason }) => reason === 'password-changed'))
        assert.equal((await sessionsOf(person)).length, won(answers).length)
      }
    })

    test('J11: a password check beside a session.reset: one order after the other', async () => {
      const orders = [
        ['usernamePassword.check', 'session.reset'],
        ['session.reset', 'usernamePassword.check'],
      ] as const
      for (const order of [...orders, ...orders, ...orders]) {
        const { browser, flowId, person } = await flowIn(stile, 'PASSWORD_REQUIRED')
        const before = await sessionsOf(person)
        const answers = await together(2, browser.cookie, (one, at) => {
          const action = order[at] as (typeof order)[number]
          return one.act(flowId, action, bodyOf(action, person))
        })
        const [checked, forgotten] = order[0] === 'session.reset' ? answers.toReversed() : answers
        // Forgotten first: the check has no session to lean on. Checked first: there is nothing left to forget.
        const state = await stateOf(stile, flowId)
        const isForgotten = forgotten?.status === 200
        assert.deepEqual([checked?.status, state.status], [200, 'COMPLETED'], `${checked?.text} ${forgotten?.text}`)
        assert.equal(
          state.trace.some(({ reason }) => reason === 'session-reset'),
          isForgotten,
        )
        assert.equal(state.sessionCounts, !isForgotten)
        assert.deepEqual(
          (await sessionsOf(person)).map(({ id }) => id),
          before.map(({ id }) => id),
        )
      }
    })

    test('J11, J13: two people at once: whoever wins, the flow and the session are of one of them', async () => {
      for (let round = 0; round < 4; round++) {
        const people = [await newPerson(stile), await newPerson(stile, { forceChange: round % 2 === 1 })]
        const flowId = await begin(new Browser(stile))
        const answers = await together(8, undefined, (one, at) =>
          one.act(flowId, 'usernamePassword.check', bodyOf('usernamePassword.check', people[at % 2] as Person)),
        )
        assert.equal(won(answers).length, 1)
        const [winner] = won(answers)
        const state = await stateOf(stile, flowId)
        assert.equal(state.user?.id, winner?.json._embedded.user.id)
        assert.ok(state.proofs.every(({ userId }) => userId === state.user?.id))
        for (const person of people) {
          const isTheirs = person.id === state.user?.id && state.status === 'COMPLETED'
          assert.equal((await sessionsOf(person)).length, isTheirs ? 1 : 0)
        }
      }
    })

    suite('guessing (K02, K11, D6)', () => {
      const limit = 5
      const guess = (browser: Browser, flowId: string, username: string, password: string) =>
        browser.act(flowId, 'usernamePassword.check', { username, password })
      /** What may not tell one from another: everything but the id of the request and the seconds that go by. */
      const face = ({ status, json, headers }: Answer) => {
        const { id: _, ...body } = structuredClone(json)
        for (const { innerError } of body.details ?? [])
          if (innerError) innerError.secondsUntilUnlock = typeof innerError.secondsUntilUnlock
        const names = [...headers].filter(([name]) => !['correlation-id', 'date'].includes(name))
        return JSON.stringify([
          status,
          body,
          names.map(([name, value]) => (name === 'content-length' ? name : [name, value])),
        ])
      }

      async function flood(
        username: string,
        count: number,
        right?: { password: string; at: number },
      ): Promise<Answer[]> {
        const flows = await Promise.all(Array.from({ length: 10 }, () => begin(new Browser(stile))))
        return together(count, undefined, (one, at) =>
          guess(one, flows[at % 10] as string, username, right?.at === at ? right.password : `wrong-${at}`),
        )
      }
      const detail = (answer: Answer) => answer.json.details?.[0]?.code

      const classes: Readonly<Record<string, () => Promise<string>>> = {
        known: async () => (await newPerson(stile)).username,
        unknown: async () => `nobody-${randomUUID()}`,
        disabled: async () => {
          const person = await newPerson(stile)
          await enable(stile, person, false)
          return person.username
        },
        'without a password': async () => (await newPerson(stile, { password: null })).username,
      }
      const faces = new Map<string, readonly string[]>()

      for (const [name, username] of Object.entries(classes)) {
        test(`K02: of fifty parallel guesses at a user who is ${name}, five are looked at`, async () => {
          const user = await username()
          const answers = await flood(user, 50)
          for (const answer of answers) assert.equal(answer.status, 400, answer.text)
          assert.equal(answers.filter((answer) => detail(answer) === 'INVALID_CREDENTIALS').length, limit)
          const locked = answers.filter((answer) => detail(answer) === 'PASSWORD_LOCKED_OUT')
          assert.equal(locked.length, 50 - limit)
          for (const { json } of locked) {
            const { secondsUntilUnlock } = json.details[0].innerError
            // A request counts from the moment it was taken up, which may lie before the first guess of the window.
            assert.ok(
              Number.isInteger(secondsUntilUnlock) && Math.abs(secondsUntilUnlock - 900) < 20,
              secondsUntilUnlock,
            )
          }
          faces.set(name, [...new Set(answers.map(face))].toSorted())
        })
      }

      test('K11, D6: and all of them are told the same', () => {
        const [first, ...others] = faces.values()
        assert.equal(first?.length, 2)
        for (const other of others) assert.deepEqual(other, first)
      })

      test('D6: for each of them the same is read, committed and hashed, and the flow stays', async () => {
        const { kernel } = stile.node
        const pool = kernel.passwords as { -readonly [K in keyof HashingPool]: HashingPool[K] }
        const { verify } = pool
        const costs: Record<string, object> = {}
        for (const [name, username] of Object.entries(classes)) {
          const user = await username()
          const flowId = await begin(new Browser(stile))
          const before = await rowOf(stile, flowId)
          let hashes = 0
          pool.verify = (...given) => {
            hashes++
            return verify.apply(pool, given)
          }
          const watch = watchStorage(kernel)
          const answer = await guess(new Browser(stile), flowId, user, 'wrong')
          watch.stop()
          pool.verify = verify
          assert.deepEqual(await rowOf(stile, flowId), before)
          costs[name] = { face: face(answer), reads: [...watch.reads], commits: [...watch.commits], hashes }
        }
        const [first, ...others] = Object.values(costs)
        for (const other of others) assert.deepEqual(other, first)
        assert.deepEqual((first as { commits: unknown; hashes: unknown }).commits, ['limits.take-guess'])
        assert.equal((first as { hashes: unknown }).hashes, 1)
      })

      test('K01: the right password among the refused is refused, and does not unlock', async () => {
        const person = await newPerson(stile)
        const answers = await flood(person.username, 50, { password: person.password, at: 49 })
        const accepted = answers.filter(({ status }) => status === 200)
        assert.ok(accepted.length <= 1)
        if (accepted.length === 0) assert.equal(await signsOn(person), false)
        const looked = answers.filter((answer) => detail(answer) === 'INVALID_CREDENTIALS')
        assert.ok(looked.length <= limit * (1 + accepted.length))
      })

      test('K03: one counter for every spelling of a name', async () => {
        const person = await newPerson(stile)
        const { username } = person
        const spellings = [
          username,
          username.toUpperCase(),
          `P${username.slice(1)}`,
          username.normalize('NFKD'),
          username,
        ]
        const flowId = await begin(new Browser(stile))
        for (const spelling of spellings)
          assert.equal(detail(await guess(new Browser(stile), flowId, spelling, 'x')), 'INVALID_CREDENTIALS')
        assert.equal(detail(await guess(new Browser(stile), flowId, username, person.password)), 'PASSWORD_LOCKED_OUT')
      })

      test('K04: password.reset spends from the same counter', async () => {
        const { browser, flowId, person } = await flowIn(stile, 'MUST_CHANGE_PASSWORD')
        const wrong = { currentPassword: 'wrong', newPassword: newPassword() }
        const answers = await together(20, browser.cookie, (one) => one.act(flowId, 'password.reset', wrong))
        assert.equal(answers.filter((answer) => answer.json.details[0].target === 'currentPassword').length, limit)
        assert.equal(answers.filter((answer) => detail(answer) === 'PASSWORD_LOCKED_OUT').length, 20 - limit)
        assert.equal(
          detail(await guess(new Browser(stile), await begin(new Browser(stile)), person.username, person.password)),
          'PASSWORD_LOCKED_OUT',
        )
        assert.equal((await stateOf(stile, flowId)).status, 'MUST_CHANGE_PASSWORD')
      })
    })
  })
}

races('embedded engine', async () => {
  const stile = await startStile()
  return { nodes: [stile], stop: () => stile.close() }
})

const cluster = await startPostgres()
if ('missing' in cluster) test('races on a flow, PostgreSQL', (context) => absent(context, cluster.missing))
else {
  races('PostgreSQL', async () => {
    const databaseUrl = await createDemoDatabase(cluster)
    const first = await startStile({ databaseUrl })
    const second = await startSecondNode(first, databaseUrl)
    const stop = async () => {
      await second.close()
      await first.close()
      await cluster.stop()
    }
    return { nodes: [first, second], stop }
  })
}
