/**
 * FAPI 2.0 Message Signing (final): the modules of the Security Profile with signed requests (JAR, section 5.3) and signed
 * responses (JARM, section 5.4), and those of the request object.
 */
import { dpopModules } from './fapi2-dpop.ts'
import { plan } from './fapi2-bench.ts'
import { pushedRequestModules, requestObjectModules } from './fapi2-pushed-requests.ts'
import { journeyModules, requestModules } from './fapi2-requests.ts'
import { assertionModules, tokenModules } from './fapi2-tokens.ts'

plan(
  'fapi2-message-signing-final-test-plan',
  { signingAlgorithm: 'RS256', authorizationCodeSeconds: 600 },
  [
    { auth: 'private_key_jwt', constraint: 'dpop', signed: true },
    { auth: 'private_key_jwt', constraint: 'mtls', signed: true },
    { auth: 'mtls', constraint: 'dpop', signed: true },
    { auth: 'mtls', constraint: 'mtls', signed: true },
  ],
  [
    journeyModules,
    requestModules,
    pushedRequestModules,
    requestObjectModules,
    tokenModules,
    assertionModules,
    dpopModules,
  ],
)
