/**
 * Everything a node serves: static lists; what is in none is not mounted. The management API is loaded when its first
 * request comes: it is most of the schemas and a third of the modules, and a node that signs people on may never need it.
 */
import type { Operation } from '../contract/operation.ts'
import { externalAuthenticationOperations } from '../flow-runtime/doors/external-authentication.ts'
import { flowOperations } from '../flow-runtime/doors/flows-api.ts'
import { devicePairingOperations } from '../flow-runtime/doors/device-pairing.ts'
import { mobileDeviceOperations } from '../flow-runtime/doors/mobile-devices.ts'
import { authorizeOperations } from '../oauth/authorize/endpoint.ts'
import { challengeOperations } from '../oauth/authorize/challenge.ts'
import { resumeOperations } from '../oauth/authorize/resume.ts'
import { backchannelOperations } from '../oauth/endpoints/backchannel-authentication.ts'
import { backchannelLinkOperations } from '../oauth/endpoints/backchannel-link.ts'
import { checksessionOperations } from '../oauth/endpoints/checksession.ts'
import { deviceAuthorizationOperations } from '../oauth/endpoints/device-authorization.ts'
import { deviceVerificationOperations } from '../oauth/endpoints/device-verification.ts'
import { discoveryOperations } from '../oauth/endpoints/discovery.ts'
import { idpSignoffOperations } from '../oauth/endpoints/idp-signoff.ts'
import { initiateLoginOperations } from '../oauth/endpoints/initiate-login.ts'
import { introspectionOperations } from '../oauth/endpoints/introspect.ts'
import { jwksOperations } from '../oauth/endpoints/jwks.ts'
import { attestationChallengeOperations } from '../oauth/endpoints/attestation-challenge.ts'
import { parOperations } from '../oauth/endpoints/par.ts'
import { revocationOperations } from '../oauth/endpoints/revoke.ts'
import { signoffOperations } from '../oauth/endpoints/signoff.ts'
import { protectedResourceOperations } from '../oauth/endpoints/protected-resource.ts'
import { userinfoOperations } from '../oauth/endpoints/userinfo.ts'
import { configurationOperations } from '../oauth/registration/configuration.ts'
import { registerOperations } from '../oauth/registration/register.ts'
import { tokenOperations } from '../oauth/token/endpoint.ts'
import { applicationLogoOperations } from '../pages/application-logo.ts'
import { assetOperations } from '../pages/assets.ts'
import { emailChangePageOperations } from '../pages/email-change-page.ts'
import { invitationPageOperations } from '../pages/invitation-page.ts'
import { signedOffPageOperations } from '../pages/signed-off-page.ts'
import { signOnPageOperations } from '../pages/sign-on-page.ts'
import { openApiOperation } from './openapi-operation.ts'
import type { Served } from './served.ts'

const described: readonly Operation[] = [
  ...discoveryOperations,
  ...jwksOperations,
  ...tokenOperations,
  ...authorizeOperations,
  ...resumeOperations,
  ...challengeOperations,
  ...deviceAuthorizationOperations,
  ...deviceVerificationOperations,
  ...backchannelOperations,
  ...backchannelLinkOperations,
  ...parOperations,
  ...attestationChallengeOperations,
  ...userinfoOperations,
  ...introspectionOperations,
  ...revocationOperations,
  ...signoffOperations,
  ...idpSignoffOperations,
  ...checksessionOperations,
  ...initiateLoginOperations,
  ...protectedResourceOperations,
  ...registerOperations,
  ...configurationOperations,
  ...flowOperations,
  ...externalAuthenticationOperations,
  ...devicePairingOperations,
  ...mobileDeviceOperations,
  ...signOnPageOperations,
  ...signedOffPageOperations,
  ...applicationLogoOperations,
  ...emailChangePageOperations,
  ...invitationPageOperations,
]

export const served: Served = {
  operations: [...described, ...assetOperations],
  async management() {
    const { platformOperations } = await import('../platform/index.ts')
    return [...platformOperations, openApiOperation([...described, ...platformOperations])]
  },
}

/** All of them, for those who describe or test what there is. */
export async function allOperations(): Promise<readonly Operation[]> {
  return [...served.operations, ...(await served.management())]
}
