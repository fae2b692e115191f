/** The plans for all flows by OAuth 2.0 Form Post Response Mode. */
import { runPlan } from './suite/plan.ts'

runPlan('oidcc-formpost-basic-certification-test-plan')
runPlan('oidcc-formpost-implicit-certification-test-plan')
runPlan('oidcc-formpost-hybrid-certification-test-plan')
