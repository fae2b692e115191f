/** What a request to sign off comes to: rows I10, I11, I12, I14; RP-Initiated Logout 1.0 sections 2 to 4, as a table. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { judgeSignOff, type SignOffRequest, type SignOffVerdict } from '../../src/oauth/rules/sign-off.ts'

const mine = { sessionId: 's1', userId: 'u1' }
const hint = { ...mine, clientId: 'c1' }
const address = 'https://app.test/bye'
const application = { postLogoutRedirectUris: [address], idpSignoff: false }
const bare: SignOffRequest = {
  repeated: undefined,
  hint: undefined,
  clientId: undefined,
  application: undefined,
  returnTo: undefined,
  session: undefined,
  isConfirmed: false,
}
const judge = (request: Partial<SignOffRequest>): SignOffVerdict => judgeSignOff({ ...bare, ...request })

suite('what a request to sign off comes to', () => {
  test('the table', () => {
    const silently = { ...application, idpSignoff: true }
    const rows: readonly (readonly [string, Partial<SignOffRequest>, SignOffVerdict['kind'] | 'mine' | 'named'])[] = [
      ['nobody is there', {}, 'nothing'],
      ['somebody is, and nothing says that they want to go', { session: mine }, 'ask'],
      ['they have said so', { session: mine, isConfirmed: true }, 'mine'],
      ['a hint of this session', { session: mine, hint, application }, 'mine'],
      [
        'a hint of this session, and client_id says the same',
        { session: mine, hint, clientId: 'c1', application },
        'mine',
      ],
      ['a hint of another session', { session: { ...mine, sessionId: 's2' }, hint, application }, 'ask'],
      ['a hint of another user', { session: { ...mine, userId: 'u2' }, hint, application }, 'ask'],
      ['the same with idpSignoff', { session: { ...mine, sessionId: 's2' }, hint, application: silently }, 'ask'],
      ['client_id alone', { session: mine, clientId: 'c1', application }, 'ask'],
      ['no session here, a hint', { hint, application }, 'nothing'],
      ['no session here, a hint, idpSignoff', { hint, application: silently }, 'named'],
      ['no session here, client_id alone, idpSignoff', { clientId: 'c1', application: silently }, 'nothing'],
    ]
    for (const [name, request, expected] of rows) {
      const verdict = judge(request)
      const kind = expected === 'mine' || expected === 'named' ? 'end' : expected
      assert.equal(verdict.kind, kind, name)
      if (verdict.kind === 'end') {
        const wanted = expected === 'mine' ? request.session : request.hint
        assert.deepEqual(verdict.ends, wanted, name)
      }
      // An address that is registered changes nothing about it.
      if (request.application) assert.deepEqual(judge({ ...request, returnTo: address }), verdict, name)
    }
  })

  test('what is refused, whoever is there and whatever they said', () => {
    const refused: readonly (readonly [Partial<SignOffRequest>, string])[] = [
      [{ repeated: 'state', hint, application }, 'invalid_request'],
      [{ hint: 'invalid' }, 'id_token_hint_rejected'],
      [{ hint: 'invalid', clientId: 'c1', application }, 'id_token_hint_rejected'],
      [{ hint, clientId: 'c2', application }, 'id_token_hint_rejected'],
      [{ hint }, 'id_token_hint_rejected'],
      [{ clientId: 'c1' }, 'unknown_client'],
      [{ returnTo: address }, 'post_logout_redirect_uri_rejected'],
      [{ hint, application, returnTo: `${address}/` }, 'post_logout_redirect_uri_rejected'],
      [{ clientId: 'c1', application, returnTo: 'https://app.test/' }, 'post_logout_redirect_uri_rejected'],
    ]
    for (const [request, expected] of refused) {
      for (const session of [undefined, mine]) {
        for (const isConfirmed of [false, true]) {
          const verdict = judge({ ...request, session, isConfirmed })
          assert.equal(verdict.kind === 'refuse' && verdict.problem, expected, JSON.stringify(request))
        }
      }
    }
  })

  test('no session ends without its user’s word or an ID token of it; no address is good that is not registered', () => {
    const id = fc.constantFrom('1', '2')
    const named = fc.record({ sessionId: id, userId: id })
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
    const request: fc.Arbitrary<SignOffRequest> = fc.record({
      repeated: fc.constantFrom(undefined, undefined, undefined, undefined, 'state'),
      hint: fc.oneof(maybe(fc.record({ sessionId: id, userId: id, clientId: id })), fc.constant('invalid' as const)),
      clientId: maybe(id),
      application: maybe(
        fc.record({ postLogoutRedirectUris: fc.subarray([address, 'https://b.test/']), idpSignoff: fc.boolean() }),
      ),
      returnTo: maybe(fc.constantFrom(address, 'https://b.test/', 'javascript:alert(1)')),
      session: maybe(named),
      isConfirmed: fc.boolean(),
    })
    let ended = 0
    fc.assert(
      fc.property(request, (asked) => {
        const verdict = judgeSignOff(asked)
        if (verdict.kind !== 'refuse' && asked.returnTo !== undefined) {
          assert.ok(asked.application?.postLogoutRedirectUris.includes(asked.returnTo))
        }
        if (verdict.kind !== 'end') return
        ended += 1
        const { hint: shown, session, isConfirmed } = asked
        assert.notEqual(shown, 'invalid')
        const isShown =
          typeof shown === 'object' &&
          shown.sessionId === verdict.ends.sessionId &&
          shown.userId === verdict.ends.userId &&
          (session !== undefined || asked.application?.idpSignoff === true)
        assert.ok(isShown || (isConfirmed && session === verdict.ends))
      }),
      { numRuns: 5000 },
    )
    assert.ok(ended > 100, `${ended} sessions ended`)
  })
})
