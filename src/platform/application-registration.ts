/**
 * What the management API shows and keeps of an application that has registered itself (extension; RFC 7591). These members
 * are read and never written: only the client itself changes them, by its registration access token or its document.
 */
import { z } from 'zod'
import type { ClientRegistration } from '../environment/application.ts'

/** Members of the answer. */
export const registrationMembers = {
  dynamicallyRegistered: z.literal(true).optional().describe('Extension: the client has registered itself.'),
  registration: z
    .object({
      clientUri: z.string().optional(),
      clientName: z.string().optional(),
      contacts: z.array(z.string()).optional(),
      softwareId: z.string().optional(),
      softwareVersion: z.string().optional(),
      softwareStatementIssuer: z.string().optional(),
    })
    .optional()
    .describe('Extension: what it has said of itself; verified by nobody but the issuer of its software statement.'),
}

/** The members of an application; none of one that an administrator has made. */
export function registrationBody(registration: ClientRegistration | undefined) {
  if (!registration) return {}
  const { softwareStatement: _, fingerprint: __, ...shown } = registration
  return { dynamicallyRegistered: true, registration: shown }
}

/** What an administrator's change leaves. A name that they give goes before the one the client has given itself. */
export function keptRegistration(
  registration: ClientRegistration | undefined,
  isRenamed: boolean,
): ClientRegistration | undefined {
  return registration && isRenamed ? { ...registration, clientName: undefined } : registration
}
