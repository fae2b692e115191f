/**
 * The closed list of questions and who answers each; a new question is added in flow/question.ts and here.
 *
 * Never: a question without an answer.
 */
import type { Context } from '../../contract/operation.ts'
import type { FlowState } from '../../flow/state.ts'
import type { Answer, Question, QuestionKind, QuestionOf } from '../../flow/question.ts'
import type { Ask, Write } from '../asked.ts'
import { acceptAgreementAsk } from './accept-agreement.ts'
import { acceptInvitationAsk } from './accept-invitation.ts'
import { callWebhookAsk } from './call-webhook.ts'
import { checkAssertionAsk } from './check-assertion.ts'
import { checkPasscodeAsk } from './check-passcode.ts'
import { checkPasskeyAsk } from './check-passkey.ts'
import { checkPasswordAsk } from './check-password.ts'
import { evaluateNewPasswordAsk } from './evaluate-new-password.ts'
import { findExternalAccountAsk } from './find-external-account.ts'
import { linkAccountAsk } from './link-account.ts'
import { lookUpUserAsk } from './look-up-user.ts'
import { provisionUserAsk } from './provision-user.ts'
import { recordConsentAsk } from './record-consent.ts'
import { recoverPasswordAsk } from './recover-password.ts'
import { registerUserAsk } from './register-user.ts'
import { sendPasscodeAsk } from './send-passcode.ts'
import { sendPushAsk } from './send-push.ts'
import { sendRecoveryCodeAsk } from './send-recovery-code.ts'
import { sendVerificationCodeAsk } from './send-verification-code.ts'
import { updateProfileAsk } from './update-profile.ts'
import { verifyEmailAsk } from './verify-email.ts'
import { verifyUserCodeAsk } from './verify-user-code.ts'

const asks: { readonly [Kind in QuestionKind]: Ask<Kind> } = {
  acceptAgreement: acceptAgreementAsk,
  acceptInvitation: acceptInvitationAsk,
  callWebhook: callWebhookAsk,
  checkAssertion: checkAssertionAsk,
  checkPasscode: checkPasscodeAsk,
  checkPasskey: checkPasskeyAsk,
  checkPassword: checkPasswordAsk,
  evaluateNewPassword: evaluateNewPasswordAsk,
  findExternalAccount: findExternalAccountAsk,
  linkAccount: linkAccountAsk,
  lookUpUser: lookUpUserAsk,
  provisionUser: provisionUserAsk,
  recordConsent: recordConsentAsk,
  recoverPassword: recoverPasswordAsk,
  registerUser: registerUserAsk,
  sendPasscode: sendPasscodeAsk,
  sendPush: sendPushAsk,
  sendRecoveryCode: sendRecoveryCodeAsk,
  sendVerificationCode: sendVerificationCodeAsk,
  updateProfile: updateProfileAsk,
  verifyEmail: verifyEmailAsk,
  verifyUserCode: verifyUserCodeAsk,
}

/** The answer to some question, and what has to be written with the state. */
export interface Answered {
  readonly answer: Answer
  readonly write?: Write
}

/** Answers a question of the machine. */
export function answerQuestion<Kind extends QuestionKind>(
  context: Context,
  question: QuestionOf<Kind> & Question,
  secrets: Readonly<Record<string, string>>,
  flow: FlowState,
): Promise<Answered> {
  const ask: Ask<Kind> = asks[question.kind]
  return ask(context, question, secrets, flow) as Promise<unknown> as Promise<Answered>
}
