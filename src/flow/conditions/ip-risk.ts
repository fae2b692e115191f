/**
 * `{ "valid": "${flow.request.http.remoteIp}", "ipRisk": { "minScore": 80, "maxScore": 100 } }`: true when the risk score
 * of the client's address lies between the two, both included. authentication-api 5.5.
 *
 * Never: a result where nobody knows a score (security catalogue J23).
 */
import { z } from 'zod'
import { defineCondition } from '../condition.ts'

const score = z.int().min(0).max(100)

const ipRiskSchema = z.strictObject({
  valid: z.literal('${flow.request.http.remoteIp}'),
  ipRisk: z
    .strictObject({ minScore: score, maxScore: score })
    .refine(({ minScore, maxScore }) => minScore <= maxScore, 'minScore must not be greater than maxScore'),
})

type Written = z.infer<typeof ipRiskSchema>
export type IpRisk = Pick<Written, 'valid'> & { readonly ipRisk: Readonly<Written['ipRisk']> }

export const ipRisk = defineCondition({
  operator: 'ipRisk',
  schema: () => ipRiskSchema,
  compile({ ipRisk: { minScore, maxScore } }) {
    const points = [minScore - 1, minScore, maxScore, maxScore + 1].filter((point) => point >= 0 && point <= 100)
    return {
      reads: [{ fact: 'flow.request.network.riskScore', points: [...new Set(points)] }],
      evaluate({ request }) {
        const risk = request?.network?.riskScore
        if (risk === undefined) return 'unknown'
        return risk >= minScore && risk <= maxScore ? 'true' : 'false'
      },
    }
  },
})
