/** The plan for the code flow: OpenID Connect Core section 3.1. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-basic-certification-test-plan')
