/** How conditions write a network. */
import { z } from 'zod'
import { parseNetwork } from '../network.ts'

export const networkText = z
  .string()
  .max(64)
  .refine((text) => parseNetwork(text) !== null, 'must be a network in CIDR notation')
