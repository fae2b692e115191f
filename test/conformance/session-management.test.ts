/** The plan for OpenID Connect Session Management 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-session-management-certification-test-plan')
