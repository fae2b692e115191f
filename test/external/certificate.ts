/** Self-signed certificates of servers, for tests of TLS. */
import 'reflect-metadata'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { generateKeyPairSync } from 'node:crypto'
import { isIP } from 'node:net'

const day = 86_400_000

/** A certificate for a host, and its key, as PEM. */
export async function serverCertificate(of: {
  readonly host: string
  readonly expired?: boolean
}): Promise<{ readonly cert: string; readonly key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const end = Date.now() + (of.expired ? -day : day)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${of.host}`,
    serialNumber: '01',
    notBefore: new Date(end - 2 * day),
    notAfter: new Date(end),
    signingAlgorithm: algorithm,
    keys: {
      publicKey: publicKey.toCryptoKey(algorithm, true, ['verify']),
      privateKey: privateKey.toCryptoKey(algorithm, false, ['sign']),
    },
    extensions: [
      new SubjectAlternativeNameExtension([{ type: isIP(of.host) ? 'ip' : 'dns', value: of.host }]),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ],
  })
  return { cert: certificate.toString('pem'), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}
