/** The plan for OpenID Connect RP-Initiated Logout 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-rp-initiated-logout-certification-test-plan')
