/** Statements on `recovery_codes`. */
import type { Statement } from '../port.ts'

/** Whether a user has this code still. */
export function recoveryCode(
  environmentId: string,
  userId: string,
  codeHash: string,
): Statement<{ readonly created_at: number }> {
  return {
    text: 'SELECT created_at FROM recovery_codes WHERE environment_id = $1 AND user_id = $2 AND code_hash = $3',
    values: [environmentId, userId, codeHash],
  }
}
