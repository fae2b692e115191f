/**
 * DEVICE_USER_CODE: whoever signed on says which device asks, by the code that it shows (RFC 8628 section 3.3). No policy
 * names this action: a flow for a device authorization grant brings it, behind all that the policy asks for.
 * authentication-api 3.3, 4.1 `deviceAuthGrant.userCode.verify`; rows Q04, Q06.
 *
 * Never: a code that the address brought along taken for one that somebody entered; anybody asked who has not proved who they
 * are.
 */
import { z } from 'zod'
import { type Decision, defineAction, noBody } from '../action.ts'
import { deviceGrant } from '../device-grant.ts'
import { provenUser } from '../proven-user.ts'
import { tooManyTries, wrongCode } from '../refusal.ts'

const slot = z.strictObject({})

type Decided = Decision<z.infer<typeof slot>, 'DAG_USER_CODE_REQUIRED'>

export const deviceUserCode = defineAction({
  type: 'DEVICE_USER_CODE',
  config: deviceGrant,
  problems: () => [],
  conditionFacts: [],
  needs: ['user'],
  slot,
  freshSlot: {},
  statuses: ['DAG_USER_CODE_REQUIRED'],
  accepts: {
    'deviceAuthGrant.userCode.verify': {
      in: ['DAG_USER_CODE_REQUIRED'],
      body: z.object({ userCode: z.string().min(1).max(64) }),
    },
    'session.reset': { in: ['DAG_USER_CODE_REQUIRED'], body: noBody },
  },
  setsPasswordIn: [],
  methods: ['userCode'],
  isPrimary: false,
  isDemandedBy: () => false,
  isSatisfied: (proofs) => proofs.some(({ method, deviceRequest }) => method === 'userCode' && deviceRequest),

  decide({ event, config: { applicationId }, user, flow, facts }): Decided {
    const known = provenUser(user, facts)
    if (!known) return { outcome: 'fail', failure: 'POLICY_NOT_SATISFIED', reason: 'action-failed' }
    switch (event.type) {
      case 'enter':
        return { outcome: 'wait', status: 'DAG_USER_CODE_REQUIRED', slot: {}, reason: 'user-code-needed' }
      case 'session.reset':
        return { outcome: 'restart', reason: 'session-reset' }
      case 'deviceAuthGrant.userCode.verify': {
        const { userCode } = event.body
        return {
          outcome: 'ask',
          question: { kind: 'verifyUserCode', userCode, userId: known.id, flowId: flow.id, applicationId },
        }
      }
      case 'external':
        throw new Error('DEVICE_USER_CODE sends nobody anywhere')
      case 'answer': {
        const { answer } = event
        if (answer.to !== 'verifyUserCode') throw new Error('DEVICE_USER_CODE asks nothing else')
        switch (answer.result) {
          case 'rejected':
            return { outcome: 'refuse', refusal: wrongCode('userCode') }
          case 'lockedOut':
            return { outcome: 'refuse', refusal: tooManyTries('userCode', answer.secondsUntilUnlock) }
          case 'accepted': {
            const { request: deviceRequest, candidates } = answer
            const goesTo = { applicationId: deviceRequest.applicationId, candidates }
            return {
              outcome: 'prove',
              methods: ['userCode'],
              deviceRequest,
              ...(deviceRequest.applicationId === flow.applicationId ? {} : { goesTo }),
              user: known,
              reason: 'user-code-accepted',
            }
          }
        }
      }
    }
  },
  view: ({ config: { userCode } }) => (userCode === null ? {} : { deviceAuthorization: { userCode } }),
})
