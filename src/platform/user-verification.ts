/**
 * Verifying users and their e-mail addresses through the management API: `user.sendVerificationCode` and `user.verify` on
 * `~/users/{userId}`, and `~/users/{userId}/emailVerification`; platform-api 1.13 and 3.5, authentication-api 7.6.
 *
 * The first makes the lifecycle VERIFICATION_REQUIRED: no sign-on counts before the code has been typed back. The last
 * asks about the address alone. A code proves the address it was sent to and no other (row K32).
 *
 * Never: the code in an answer (row K38); an address that is proved because somebody says so (row K33).
 */
import { z } from 'zod'
import { vendorMediaType } from '../contract/media-type.ts'
import { type Context, defineOperation, type Operation } from '../contract/operation.ts'
import type { User } from '../directory/users.ts'
import { sendVerificationCode, type VerificationTemplate, verifyEmail } from '../directory/verification.ts'
import { invalidData, notFound } from '../errors/problem.ts'
import { update } from '../storage/operations.ts'
import { AlreadyConsumed, Stale } from '../storage/refusals.ts'
import { codeWrong, tooManyCodes, tooManyTries, typedCode } from './password-refusals.ts'
import { controlledUser, reachedKey, reachedUser } from './user-control.ts'
import { userBody, userResource } from './user-representation.ts'
import { common, oneUser, partOfUser } from './user-routes.ts'

const reach = { permission: 'idm:update:user', self: 'p1:verify:user' } as const

const declared = {
  ...common,
  method: 'POST',
  permission: { kind: 'role', population: true, ...reach },
  errors: ['INVALID_DATA', 'FORBIDDEN', 'NOT_FOUND', 'LIMITED'],
} as const

const sendUserCode = defineOperation({
  ...declared,
  ...oneUser,
  id: 'sendUserVerificationCode',
  summary: 'Send a user a code, without which no sign-on counts any more',
  mediaTypes: [vendorMediaType('user.sendVerificationCode')],
  body: { kind: 'json', schema: z.object({}) },
  replies: { 200: userResource },
  event: 'USER.VERIFICATION_CODE_SENT',
  async handle({ params: { userId } }, context) {
    const { kernel, now, record } = context
    const reached = await controlledUser(context, userId, reach)
    const send = await preparedSending(context, reached.user)
    await kernel.storage.commit({
      name: 'require-verification',
      *run() {
        const columns = { verification_required: 1, updated_at: now }
        if (!(yield* update('users', reachedKey(reached), columns))) throw notFound()
        yield* send()
        yield record({ subject: { type: 'USER', id: userId } })
      },
    })
    kernel.wakeOutbox()
    const user = { ...reached.user, verificationRequired: true, updatedAt: now }
    return { status: 200, body: userBody(context, { ...reached, user }) }
  },
})

const verifyUser = defineOperation({
  ...declared,
  ...oneUser,
  id: 'verifyUser',
  summary: 'Verify a user with the code that was sent',
  mediaTypes: [vendorMediaType('user.verify')],
  body: { kind: 'json', schema: z.object({ verificationCode: typedCode }) },
  replies: { 200: userResource },
  event: 'USER.VERIFIED',
  async handle({ params: { userId }, body: { verificationCode: code } }, context) {
    const { kernel, environment, now, record } = context
    await reachedUser(context, userId, reach)
    const verification = await verifyEmail(kernel, environment, { userId, code, now })
    if (verification.result === 'wrongCode') throw codeWrong('verificationCode')
    if (verification.result === 'lockedOut') {
      throw tooManyTries('verificationCode', verification.secondsUntilUnlock)
    }
    const commit = kernel.storage.commit({
      name: 'verify-user',
      *run() {
        yield* verification.settle()
        yield record({ subject: { type: 'USER', id: userId } })
      },
    })
    await commit.catch((error: unknown) => {
      throw error instanceof AlreadyConsumed || error instanceof Stale ? codeWrong('verificationCode') : error
    })
    return { status: 200, body: userBody(context, await reachedUser(context, userId, reach)) }
  },
})

const templates = { admin: 'email_verification_admin', user: 'email_verification_user' } as const

const sendEmailCode = defineOperation({
  ...declared,
  ...partOfUser('/emailVerification'),
  id: 'sendEmailVerification',
  summary: 'Ask a user to prove the e-mail address',
  mediaTypes: [vendorMediaType('user.emailVerification.send')],
  body: { kind: 'json', schema: z.object({ notificationType: z.enum(['admin', 'user']).default('user') }) },
  replies: { 204: null },
  event: 'USER.VERIFICATION_CODE_SENT',
  async handle({ params: { userId }, body: { notificationType } }, context) {
    const { user } = await reachedUser(context, userId, reach)
    const send = await preparedSending(context, user, templates[notificationType])
    await context.kernel.storage.commit({
      name: 'send-email-verification',
      *run() {
        yield* send()
        yield context.record({ subject: { type: 'USER', id: userId } })
      },
    })
    context.kernel.wakeOutbox()
    return { status: 204 }
  },
})

async function preparedSending({ kernel, environment, now }: Context, user: User, template?: VerificationTemplate) {
  if (user.document.email === undefined) throw invalidData('REQUIRED_VALUE', 'email', 'must not be null')
  const sending = await sendVerificationCode(kernel, environment, user, [], now, template)
  if (sending.result === 'lockedOut') throw tooManyCodes(sending.secondsUntilUnlock)
  return sending.send
}

export const userVerificationOperations: readonly Operation[] = [sendUserCode, verifyUser, sendEmailCode]
