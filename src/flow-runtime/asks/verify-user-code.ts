/**
 * Answers `verifyUserCode`: which device shows the code that was entered (directory/polled-grants.ts; rows Q04, Q06). The
 * application of the code decides which policies go on judging the flow, so that none of them is spared by an address that
 * names another one (row Q07).
 */
import { tryUserCode } from '../../directory/polled-grants.ts'
import type { Ask } from '../asked.ts'
import { candidatePolicies } from '../candidates.ts'

/** Tries a user code. */
export const verifyUserCodeAsk: Ask<'verifyUserCode'> = async (context, question) => {
  const { kernel, environment, now } = context
  const { userCode: typed, userId, flowId, applicationId } = question
  const to = 'verifyUserCode'
  const tried = await tryUserCode(kernel.storage, environment, { typed, userId, flowId, applicationId, now })
  if (tried.result !== 'accepted') return { answer: { to, ...tried } }
  const { request, claim } = tried
  const application = await kernel.environments.application(environment.id, request.applicationId)
  if (!application?.enabled) return { answer: { to, result: 'rejected' } }
  const candidates = candidatePolicies(environment, application, []).map(({ id, version }) => ({
    policyId: id,
    version,
  }))
  return { answer: { to, result: 'accepted', request, candidates }, write: { with: 'save', run: claim } }
}
