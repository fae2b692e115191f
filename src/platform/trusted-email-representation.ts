/** A trusted e-mail address as clients read it, and where it is. platform-api 3.18 (`EmailDomainTrustedEmail`). */
import { z } from 'zod'
import { links, linksSchema } from '../contract/hal.ts'
import type { Context } from '../contract/operation.ts'
import { reference, uuid } from '../contract/validation.ts'
import { notFound } from '../errors/problem.ts'
import { type TrustedEmailRow, trustedEmailById } from '../storage/sql/email-domains.ts'
import { emailDomainsPath, oneEmailDomain } from './email-domains.ts'

/** Where the addresses of a domain are. */
export const trustedEmailsPath = `${emailDomainsPath}/{emailDomainId}/trustedEmails`
/** Where one of them is. */
export const trustedEmailPath = `${trustedEmailsPath}/{trustedEmailId}`
/** What names one. */
export const oneTrustedEmail = oneEmailDomain.extend({ trustedEmailId: uuid })

export const trustedEmail = z.object({
  _links: linksSchema,
  id: uuid,
  environment: reference,
  domain: reference,
  domainId: uuid,
  emailAddress: z.string(),
  status: z.enum(['ACTIVE', 'VERIFICATION_REQUIRED']),
})

/** An address as clients read it. */
export function trustedEmailBody({ site, environment }: Context, row: TrustedEmailRow) {
  const environmentUrl = `${site.apiBase}/environments/${environment.id}`
  const emailDomain = `${environmentUrl}/emailDomains/${row.domain_id}`
  return {
    _links: links({ self: `${emailDomain}/trustedEmails/${row.id}`, environment: environmentUrl, emailDomain }),
    id: row.id,
    environment: { id: environment.id },
    domain: { id: row.domain_id },
    domainId: row.domain_id,
    emailAddress: row.email_address,
    status: row.status,
  }
}

/** Reads an address. @throws Problem NOT_FOUND */
export async function storedTrustedEmail(
  { kernel }: Context,
  { environmentId, emailDomainId, trustedEmailId }: z.output<typeof oneTrustedEmail>,
): Promise<TrustedEmailRow> {
  const [row] = await kernel.storage.read(trustedEmailById(environmentId, emailDomainId, trustedEmailId))
  if (!row) throw notFound()
  return row
}
