/** The plan for the hybrid flow: OpenID Connect Core section 3.3. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-hybrid-certification-test-plan')
