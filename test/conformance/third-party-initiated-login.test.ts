/** The plan for a login that a third party begins: OpenID Connect Core section 4. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-3rdparty-init-login-certification-test-plan')
