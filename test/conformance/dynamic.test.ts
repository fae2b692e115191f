/** The plan for clients that register themselves: OpenID Connect Dynamic Client Registration 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-dynamic-certification-test-plan')
