/**
 * FAPI 2.0 Security Profile (final), module by module of the conformance suite; rows D10, D24. The modules of Brazil,
 * ConnectID and Open Banking UK test what their ecosystems add, and are not here.
 */
import { dpopModules } from './fapi2-dpop.ts'
import { plan } from './fapi2-bench.ts'
import { pushedRequestModules } from './fapi2-pushed-requests.ts'
import { journeyModules, requestModules } from './fapi2-requests.ts'
import { assertionModules, tokenModules } from './fapi2-tokens.ts'

plan(
  'fapi2-security-profile-final-test-plan',
  { signingAlgorithm: 'RS256', authorizationCodeSeconds: 600 },
  [
    { auth: 'private_key_jwt', constraint: 'dpop', signed: false },
    { auth: 'private_key_jwt', constraint: 'mtls', signed: false },
    { auth: 'mtls', constraint: 'dpop', signed: false },
    { auth: 'mtls', constraint: 'mtls', signed: false },
  ],
  [journeyModules, requestModules, pushedRequestModules, tokenModules, assertionModules, dpopModules],
)
