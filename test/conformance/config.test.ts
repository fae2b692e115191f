/** The plan for the discovery document: OpenID Connect Discovery 1.0. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-config-certification-test-plan')
