/** The plan for the implicit flow: OpenID Connect Core section 3.2. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-implicit-certification-test-plan')
