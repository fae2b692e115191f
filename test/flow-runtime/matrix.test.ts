/**
 * The generated matrix over HTTP: every status by every media type, body and change of the world around it. Rows J05-J07,
 * J09, J17, J18, J28, J35. What is legal is written here a second time on purpose (authentication-api 3.3, 4.1).
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { flowStatuses, type MediaType, mediaTypeNames } from '../../src/flow/actions/index.ts'
import type { FlowStatus } from '../../src/flow/state.ts'
import { type Answer, type Call, type Stile, startStile } from '../harness/stile.ts'
import { type Arranged, bodyOf, enable, flowIn, isOffered, newPerson, rowOf, rows, stateOf } from './arrange.ts'
import { type Watch, watchStorage } from './watch-storage.ts'

const legal: Readonly<Record<FlowStatus, readonly MediaType[]>> = {
  USERNAME_PASSWORD_REQUIRED: ['usernamePassword.check'],
  PASSWORD_REQUIRED: ['usernamePassword.check', 'session.reset'],
  SIGN_ON_REQUIRED: ['user.lookup', 'password.forgot', 'user.register'],
  RECOVERY_CODE_REQUIRED: ['password.recover', 'password.sendRecoveryCode', 'session.reset'],
  VERIFICATION_CODE_REQUIRED: ['user.verify', 'user.sendVerificationCode'],
  MUST_CHANGE_PASSWORD: ['password.reset'],
  PASSWORD_EXPIRED: ['password.reset'],
  EXTERNAL_AUTHENTICATION_REQUIRED: ['session.reset'],
  ACCOUNT_CONFIRMATION_REQUIRED: ['user.confirm', 'session.reset'],
  ACCOUNT_LINKING_REQUIRED: ['usernamePassword.check', 'user.register', 'session.reset'],
  OTP_REQUIRED: ['otp.check', 'device.select', 'session.reset'],
  ASSERTION_REQUIRED: ['assertion.check', 'device.select', 'session.reset'],
  PUSH_CONFIRMATION_REQUIRED: ['cancel.push.authentication', 'device.select', 'otp.check', 'session.reset'],
  PUSH_CONFIRMATION_TIMED_OUT: ['device.select', 'otp.check', 'session.reset'],
  PROFILE_DATA_REQUIRED: ['user.update'],
  AGREEMENT_CONSENT_REQUIRED: ['user.consent'],
  DEVICE_SELECTION_REQUIRED: ['device.select', 'session.reset'],
  INVITATION_REQUIRED: ['user.acceptInvite'],
  CONSENT_REQUIRED: ['oauth.consent'],
  DAG_USER_CODE_REQUIRED: ['deviceAuthGrant.userCode.verify', 'session.reset'],
  DAG_CONSENT_REQUIRED: ['deviceAuthGrant.consent', 'session.reset'],
  COMPLETED: [],
  FAILED: [],
}

const vendor = (name: string) => `application/vnd.pingidentity.${name}+json`

/** Every media type the documentation names, whether it exists here yet or not. */
const documented = [...mediaTypeNames, ...['kerberos.authenticate', 'kerberos.lookup']]

/** Bodies that no media type, or not this one, takes. */
function unfitBodies(name: MediaType): readonly string[] {
  const needsNothing = ['session.reset', 'password.sendRecoveryCode', 'user.sendVerificationCode'].includes(name)
  const wrong = ['[]', 'null', '7', '"x"', '{']
  if (needsNothing) return wrong
  const wrongMembers = '{"username":{},"password":[],"currentPassword":7}'
  // Who is meant may be known already.
  const mayBeEmpty = name === 'password.forgot' || name === 'user.confirm'
  return mayBeEmpty ? [...wrong, wrongMembers] : ['', '{}', ...wrong, wrongMembers]
}

suite('every status by everything that may be sent', () => {
  let stile: Stile
  let watch: Watch
  const told: string[] = []
  before(async () => {
    const node = await startStile()
    // Whatever any test is told is kept, to be searched for secrets at the end.
    stile = {
      ...node,
      async send(path: string, call?: Call): Promise<Answer> {
        const answer = await node.send(path, call)
        told.push(answer.text, JSON.stringify([...answer.headers]))
        return answer
      },
    }
    watch = watchStorage(node.node.kernel)
  })
  after(() => stile.close())

  const path = (flowId: string) => `/${stile.environmentId}/flows/${flowId}`

  /** What must not change when a request is refused. */
  async function oracle({ flowId, person }: Arranged) {
    return {
      flow: await rowOf(stile, flowId),
      limits: await rows(stile, 'limits', 'subject = $2', person.id),
      sessions: await rows(stile, 'sessions', 'user_id = $2', person.id),
      codes: await rows(stile, 'authorization_codes', 'user_id = $2', person.id),
      password: await rows(stile, 'passwords', 'user_id = $2', person.id),
      outbox: await rows(stile, 'outbox'),
    }
  }

  /** Something that has to be refused. */
  interface Attempt {
    readonly what: string
    readonly act: () => Promise<Answer>
    readonly status: number
  }

  /** Does what has to be refused without leaving a trace. */
  async function untouched(arranged: Arranged, attempts: readonly Attempt[]): Promise<void> {
    const before = await oracle(arranged)
    for (const { what, act, status } of attempts) {
      watch.clear()
      const answer = await act()
      assert.equal(answer.status, status, `${what}: ${answer.text}`)
      assert.deepEqual(watch.commits, [], what)
      assert.deepEqual(answer.headers.getSetCookie(), [], what)
    }
    assert.deepEqual(await oracle(arranged), before)
  }

  for (const status of flowStatuses) {
    suite(status, () => {
      let arranged: Arranged
      before(async () => {
        arranged = await flowIn(stile, status)
      })
      const post = (call: Call) => arranged.browser.send(path(arranged.flowId), { method: 'POST', ...call })

      test('J05, J09: every media type that is not legal here is refused and leaves no trace', async () => {
        const illegal = documented.filter((name) => !legal[status].includes(name as MediaType))
        await untouched(
          arranged,
          illegal.flatMap((name) => {
            const isKnown = (mediaTypeNames as readonly string[]).includes(name)
            const body = isKnown
              ? bodyOf(name as MediaType, arranged.person)
              : { otp: '123456', username: arranged.person.username }
            return [vendor(name), vendor(name).replace('+json', '')].map((mediaType) => ({
              what: `${status} ${mediaType}`,
              act: () => post({ mediaType, body }),
              status: isKnown ? 400 : 401,
            }))
          }),
        )
      })

      test('J06: nothing, another type of body, another type of anything does not advance it', async () => {
        const body = bodyOf('usernamePassword.check', arranged.person)
        const unknown = [
          'application/json',
          'text/plain',
          'application/vnd.pingidentity.x+json',
          'application/vnd.pingidentity.+json',
        ].map((mediaType) => ({ what: mediaType, act: () => post({ mediaType, body }), status: 401 }))
        const nothing = { what: 'nothing at all', act: () => post({}), status: 401 }
        const at = flowStatuses.indexOf(status)
        const unfit = mediaTypeNames.flatMap((name) => {
          const bodies = unfitBodies(name)
          // A body is judged before the place of its action: what is out of place gets each of them in some status.
          const sentBodies = legal[status].includes(name) ? bodies : bodies.filter((_, n) => n === at % bodies.length)
          return sentBodies.map((sent) => ({
            what: `${name} ${sent}`,
            act: () => post({ mediaType: vendor(name), body: sent }),
            status: 400,
          }))
        })
        await untouched(arranged, [...unknown, nothing, ...unfit])
      })

      test('the legal ones are legal', async () => {
        for (const name of legal[status]) {
          const fresh = await flowIn(stile, status)
          const body = bodyOf(name, fresh.person, fresh.code)
          const { status: code, text } = await fresh.browser.act(fresh.flowId, name, body)
          assert.equal(code, 200, text)
        }
      })

      if (status !== 'COMPLETED') {
        test('J07: resume gives neither code nor session', async () => {
          for (const door of ['pi.flow', 'redirect'] as const) {
            const { browser, flowId, person } = await flowIn(stile, status, door)
            const sessions = await rows(stile, 'sessions', 'user_id = $2', person.id)
            const { status: code, json, headers } = await browser.resume(flowId)
            // A flow about a device or an invitation has one door.
            const hasOneDoor = status.startsWith('DAG_') || status === 'INVITATION_REQUIRED'
            if (door === 'pi.flow' && !hasOneDoor) {
              assert.equal(code, status === 'FAILED' ? 403 : 200)
              assert.equal(json.authorizeResponse, undefined)
              if (status !== 'FAILED') assert.equal(json.status, status)
            } else {
              assert.equal(code, 302)
              const to = new URL(headers.get('location') ?? '')
              assert.equal(to.searchParams.get('code'), null)
              if (status === 'FAILED') assert.equal(to.searchParams.get('error'), 'access_denied')
              else assert.equal(to.href, `${stile.authUrl}/${stile.environmentId}/signon/?flowId=${flowId}`)
            }
            assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', person.id), [])
            assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), sessions)
          }
        })
      }

      const changes: Readonly<Record<string, (arranged: Arranged) => Promise<unknown>>> = {
        disabled: ({ person }) => enable(stile, person, false),
        locked: ({ person }) =>
          stile.api('POST', `/users/${person.id}`, {}, { mediaType: 'application/vnd.pingidentity.account.lock+json' }),
        deleted: ({ person }) => stile.api('DELETE', `/users/${person.id}`),
      }
      for (const [change, apply] of Object.entries(changes)) {
        test(`J17: the user is ${change}: nothing they do signs them on`, async () => {
          const fresh = await flowIn(stile, status)
          const { browser, flowId, person, code } = fresh
          await apply(fresh)
          const sessions = await rows(stile, 'sessions', 'user_id = $2', person.id)
          for (const name of mediaTypeNames) {
            const { json } = await browser.act(flowId, name, bodyOf(name, person, code))
            assert.notEqual(json.status, 'COMPLETED', `${name}: ${JSON.stringify(json)}`)
          }
          const resumed = await browser.resume(flowId)
          assert.equal(resumed.json?.authorizeResponse, undefined, resumed.text)
          assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', person.id), sessions)
          assert.deepEqual(await rows(stile, 'authorization_codes', 'user_id = $2', person.id), [])
        })
      }

      test('J35: ids of somebody else, in body, query or headers, are ignored', async () => {
        const other = await newPerson(stile)
        const fresh = await flowIn(stile, status)
        const foreign = {
          userId: other.id,
          user: { id: other.id },
          flowId: randomUUID(),
          environment: { id: randomUUID() },
          deviceId: randomUUID(),
        }
        const query = `?userId=${other.id}&flowId=${randomUUID()}&environmentId=${randomUUID()}`
        const headers = { 'x-user-id': other.id, 'x-flow-id': randomUUID() }
        for (const name of legal[status].slice(0, 1)) {
          const body = { ...bodyOf(name, fresh.person, fresh.code), ...foreign }
          const { status: code } = await fresh.browser.send(path(fresh.flowId) + query, {
            body,
            headers,
            mediaType: vendor(name),
          })
          assert.equal(code, 200)
        }
        const state = await stateOf(stile, fresh.flowId)
        assert.ok(!JSON.stringify(state).includes(other.id))
        assert.deepEqual(await rows(stile, 'sessions', 'user_id = $2', other.id), [])
      })
    })
  }

  suite('the application or the environment goes away (J18)', () => {
    const pathOf = (flowId: string) => [path(flowId), `/${stile.environmentId}/as/resume?flowId=${flowId}`]

    test('the application is disabled, or deleted: 404 in every status', async () => {
      const arranged: Arranged[] = []
      for (const status of flowStatuses.filter((each) => !isOffered(each))) arranged.push(await flowIn(stile, status))
      const application = `/applications/${stile.nativeApp.clientId}`
      const { json } = await stile.api('GET', application)
      await stile.api('PUT', application, { ...json, enabled: false })
      const gone = async () => {
        for (const { browser, flowId, person } of arranged) {
          for (const at of pathOf(flowId)) assert.equal((await browser.send(at)).status, 404)
          for (const name of mediaTypeNames) {
            assert.equal((await browser.act(flowId, name, bodyOf(name, person))).status, 404)
          }
        }
      }
      await gone()
      await stile.api('PUT', application, { ...json, enabled: true })
      assert.equal((await arranged[0]?.browser.send(path(arranged[0].flowId)))?.status, 200)
      assert.equal((await stile.api('DELETE', application)).status, 204)
      await gone()
    })
  })

  test('J28: no password was told, recorded or stored in a form that can be read', async () => {
    const tables = [
      'flows',
      'events',
      'sessions',
      'users',
      'passwords',
      'limits',
      'outbox',
      'one_time_codes',
      'authorization_codes',
      'token_families',
    ]
    for (const table of tables) {
      const found = (await rows(stile, table)).filter((row) => JSON.stringify(row).includes('CANARY'))
      assert.deepEqual(found, [], table)
    }
    assert.ok(told.length > 1000)
    assert.deepEqual(
      told.filter((text) => text.includes('CANARY')),
      [],
    )
  })
})
