/** The plan for OpenID Connect Front-Channel Logout 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-frontchannel-rp-initiated-logout-certification-test-plan')
