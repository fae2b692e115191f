/**
 * Rows as the embedded engine returns them: int8 and numeric as numbers, a comparison as 0 or 1, JSON as text.
 * Architecture section 5, "One text for both engines".
 */
import type { CustomTypesConfig } from 'pg'

/** Type oids of pg_type.dat: int8, int2, int4, float4, float8, numeric. */
const numeric: ReadonlySet<number> = new Set([20, 21, 23, 700, 701, 1700])
const boolean = 16

function toNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new RangeError('a whole number beyond 2^53 was returned')
  }
  return value
}

/** The parsers of a query's columns. */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (oid: number) => {
    if (numeric.has(oid)) return toNumber
    return oid === boolean ? (text: string) => (text === 't' ? 1 : 0) : (text: string) => text
  },
}
