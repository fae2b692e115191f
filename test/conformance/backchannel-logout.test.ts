/** The plan for OpenID Connect Back-Channel Logout 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-backchannel-rp-initiated-logout-certification-test-plan')
