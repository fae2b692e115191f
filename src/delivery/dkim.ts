/**
 * The key by which messages in the name of an e-mail domain are signed: RFC 6376, RFC 8301 (rsa-sha256, 2048 bits). It
 * is made with the domain; its selector is of this environment alone, so that several may sign for one domain.
 *
 * Never: the private key in clear, but to sign.
 */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { Environment } from '../environment/snapshot.ts'
import { open, seal, type SealContext } from '../keys/sealing.ts'
import type { World } from '../world.ts'

/** What a message is signed with. */
export interface DkimSigner {
  readonly domainName: string
  readonly keySelector: string
  /** PKCS #8, PEM. */
  readonly privateKey: string
}

const generateInThreadPool = promisify(generateKeyPair)

/** Makes a key for a domain. @returns the private key sealed, the public one as DNS records hold it (base64) */
export async function newDkimKey({ id, dataKey }: Pick<Environment, 'id' | 'dataKey'>, domainId: string, world: World) {
  const { privateKey, publicKey } = await generateInThreadPool('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    sealed_dkim_key: seal(dataKey, pem, place(id, domainId), world),
    dkim_public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

/** Where the public key is found, beside the name of the domain. */
export function dkimSelector(domainId: string): string {
  return `stile-${domainId.slice(0, 8)}`
}

/** What messages of a domain are signed with. @throws UnsealFailed */
export function dkimSigner(
  { id, dataKey }: Pick<Environment, 'id' | 'dataKey'>,
  domain: { readonly id: string; readonly domain_name: string; readonly sealed_dkim_key: string },
): DkimSigner {
  return {
    domainName: domain.domain_name,
    keySelector: dkimSelector(domain.id),
    privateKey: open(dataKey, domain.sealed_dkim_key, place(id, domain.id)).toString(),
  }
}

function place(environmentId: string, domainId: string): SealContext {
  return { environmentId, table: 'email_domains', row: domainId, column: 'sealed_dkim_key' }
}
